//! The files that a program has open, by descriptor.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

/// A table of open files. The descriptors are the system's own, but the table has only files that
/// were opened through it. So a program that guesses a number cannot access other open files of the
/// process. Dropping the table closes the remaining files, after the operations in progress.
#[derive(Debug, Default)]
pub struct Descriptors {
    open: Mutex<BTreeMap<i32, Arc<File>>>,
}

impl Descriptors {
    /// The number of open files.
    pub fn count(&self) -> usize {
        self.open().len()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<i32, Arc<File>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a file and returns its descriptor.
    pub(crate) fn keep(&self, file: File) -> i32 {
        // The number is unique, because the system does not reuse it before the file is closed.
        let number = file.as_raw_fd();
        self.open().insert(number, Arc::new(file));
        number
    }

    /// The file with this descriptor.
    pub(crate) fn get(&self, number: f64) -> io::Result<Arc<File>> {
        let number = exact(number)?;
        self.open().get(&number).cloned().ok_or_else(|| Errno::BADF.into())
    }

    /// Removes a file, which is closed when the last operation on it has ended.
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
