//! The files that a program has open, by the numbers it knows them by.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

/// A table of open files. The numbers are the system's own, but only those of files that were opened through the table are known in it: with a number that was guessed nobody
/// reaches what the process has open besides. What is still open when the table goes is closed with it, after the operations that are under way.
#[derive(Debug, Default)]
pub struct Descriptors {
    open: Mutex<BTreeMap<i32, Arc<File>>>,
}

impl Descriptors {
    /// How many files are open.
    pub fn count(&self) -> usize {
        self.open().len()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<i32, Arc<File>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a file; its number.
    pub(crate) fn keep(&self, file: File) -> i32 {
        // The system gives no number again that is in use, and until its file is closed a number is.
        let number = file.as_raw_fd();
        self.open().insert(number, Arc::new(file));
        number
    }

    /// The file of that number.
    pub(crate) fn get(&self, number: f64) -> io::Result<Arc<File>> {
        let number = exact(number)?;
        self.open().get(&number).cloned().ok_or_else(|| Errno::BADF.into())
    }

    /// Lets go of a file: it is closed when the last operation on it is over.
    pub(crate) fn close(&self, number: f64) -> io::Result<()> {
        let number = exact(number)?;
        self.open().remove(&number).map(drop).ok_or_else(|| Errno::BADF.into())
    }
}

fn exact(number: f64) -> io::Result<i32> {
    let whole = number as i32;
    if f64::from(whole) == number { Ok(whole) } else { Err(Errno::BADF.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_of_this_table_alone() {
        let (table, other) = (Descriptors::default(), Descriptors::default());
        let foreign = tempfile::tempfile().unwrap();
        let number = f64::from(table.keep(tempfile::tempfile().unwrap()));
        assert!(table.get(number).is_ok());
        for wrong in [f64::from(foreign.as_raw_fd()), number + 0.5, -1.0, 0.0, 1.0, 2.0, f64::NAN, 1e12] {
            assert_eq!(table.get(wrong).unwrap_err().raw_os_error(), Some(9), "{wrong}");
        }
        assert!(other.get(number).is_err() && other.close(number).is_err());
        table.close(number).unwrap();
        assert!(table.get(number).is_err() && table.close(number).is_err());
    }

    #[test]
    fn what_is_closed_while_it_is_used_stays_until_then() {
        let table = Descriptors::default();
        let number = table.keep(tempfile::tempfile().unwrap());
        let used = table.get(f64::from(number)).unwrap();
        table.close(f64::from(number)).unwrap();
        let next = table.keep(tempfile::tempfile().unwrap());
        assert_ne!(next, number);
        assert_eq!(used.metadata().unwrap().len(), 0);
        assert_eq!(table.count(), 1);
    }
}
