//! What the reports mean: which cases passed, failed, and were expected to.

use crate::places::Place;

/// A case that is known to fail.
struct Expectation {
    place: String,
    /// `section: name`
    case: String,
    reason: String,
}

/// All cases that are known to fail.
pub(crate) struct Expectations(Vec<Expectation>);

/// The page that tells users of them.
const DOCUMENTED: &str = include_str!("../../../../docs/message-ports.md");

impl Expectations {
    pub(crate) fn read() -> Self {
        let lines = include_str!("expected.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(
            lines
                .map(|line| {
                    let mut fields = line.splitn(3, " | ").map(str::to_owned);
                    let mut field = || fields.next().expect("a line of expected.txt has three fields");
                    Expectation { place: field(), case: field(), reason: field() }
                })
                .collect(),
        )
    }

    fn find(&self, place: &str, case: &str) -> Option<&Expectation> {
        self.0.iter().find(|expected| expected.case == case && (expected.place == "*" || expected.place == place))
    }

    /// The cases that are expected to fail at a place.
    pub(crate) fn names(&self, place: &str) -> Vec<&str> {
        self.0.iter().filter(|expected| expected.place == "*" || expected.place == place).map(|expected| expected.case.as_str()).collect()
    }
}

/// The count.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Tally {
    pub(crate) fn fail(&mut self, text: &str) {
        self.failed += 1;
        println!("FAILED  {text}");
    }

    /// Counts a place's report: a line `outcome, section, name, text` for each case, and `end`.
    pub(crate) fn judge(&mut self, place: &Place, report: &str, expectations: &Expectations, whole: bool) {
        let (mut passed, mut expected) = (0, 0);
        let mut ended = false;
        for line in report.lines() {
            let fields: Vec<_> = line.split('\t').collect();
            let [outcome, section, name, text] = fields[..] else {
                ended = line == "end";
                continue;
            };
            let case = format!("{section}: {name}");
            let fails = outcome != "pass";
            if place.is_harness() {
                if fails == name.starts_with("fails: ") {
                    passed += 1
                } else {
                    self.fail(&format!("{case}: {outcome} {text}"))
                }
                continue;
            }
            match (fails, expectations.find(place.name, &case)) {
                (false, None) => passed += 1,
                (true, Some(expectation)) => {
                    expected += 1;
                    if std::env::var_os("STRAIT_TEST_EXPECTED").is_some() {
                        println!("        {}: {case}: {text} (expected: {})", place.name, expectation.reason);
                    }
                }
                (true, None) => self.fail(&format!("{}: {case}: {text}", place.name)),
                (false, Some(expectation)) => {
                    self.fail(&format!("{}: {case}: passes, though it is expected to fail ({})", place.name, expectation.reason));
                }
            }
        }
        if !ended {
            self.fail(&format!("{}: the suite did not come to its end", place.name));
        } else if whole && passed == 0 {
            self.fail(&format!("{}: no case ran", place.name));
        }
        self.passed += passed + expected;
        println!("{:<9} {passed} passed, {expected} failed as expected", place.name);
    }

    /// An expectation must be of a case that ran, and the documentation must name the case.
    pub(crate) fn unused(&mut self, expectations: &Expectations, reports: &[(&Place, String)]) {
        for Expectation { place, case, .. } in &expectations.0 {
            let line = format!("\t{}\t", case.replacen(": ", "\t", 1));
            if !reports.iter().any(|(at, report)| (place == "*" || place == at.name) && report.contains(&line)) {
                self.fail(&format!("expected.txt: {place}: no case '{case}' ran"));
            }
            if !DOCUMENTED.contains(case.as_str()) {
                self.fail(&format!("docs/message-ports.md does not name '{case}'"));
            }
        }
    }
}
