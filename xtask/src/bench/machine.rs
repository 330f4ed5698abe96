//! What kind of machine is this? Nothing that tells one such machine from another.

use std::fs;

/// Processor, how many, kernel, and whether it is a virtual machine.
pub(crate) fn describe() -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    sentence(&read("/proc/cpuinfo"), &read("/proc/sys/kernel/osrelease"))
}

fn sentence(cpuinfo: &str, kernel: &str) -> String {
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    };
    let count = cpuinfo.lines().filter(|line| line.starts_with("processor")).count();
    let model = field("model name").unwrap_or("unknown processor");
    let virtual_machine = field("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor"));
    // What follows the number names a distribution, or somebody's build.
    let release: String = kernel.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let kind = if virtual_machine { "a virtual machine" } else { "no virtual machine" };
    let processors = if count == 1 { "1 processor".to_owned() } else { format!("{count} processors") };
    format!("{model}, {processors}, {kind}, Linux {release}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_described() {
        let cpuinfo = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu hypervisor\n\nprocessor\t: 1\nmodel name\t: AMD EPYC\n";
        assert_eq!(sentence(cpuinfo, "6.18.44-cloud\n"), "AMD EPYC, 2 processors, a virtual machine, Linux 6.18.44");
        let cpuinfo = "processor : 0\nmodel name : Some CPU\nflags : fpu\n";
        assert_eq!(sentence(cpuinfo, "6.1.0"), "Some CPU, 1 processor, no virtual machine, Linux 6.1.0");
    }
}
