//! The texts of preload scripts, for documents in sandboxed processes.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// The largest preload script, in bytes.
const MAX_PRELOAD: u64 = 64 << 20;

/// A preload script's text. It is read again for each document.
///
/// # Errors
/// The system's error; the path is not a file; the file is larger than [`MAX_PRELOAD`].
pub(crate) fn read(path: &Path) -> io::Result<String> {
    // Only files may be opened, because opening a pipe waits for its writer.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_PRELOAD + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_PRELOAD {
        return Err(io::Error::other(format!("it is larger than {} MiB", MAX_PRELOAD >> 20)));
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    #[test]
    fn only_files_of_a_bearable_size_are_read() {
        let folder = env::temp_dir().join(format!("strait-test-preload-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (script, large) = (folder.join("preload.js"), folder.join("large.js"));
        fs::write(&script, "\u{feff}ok()").unwrap();
        File::create(&large).unwrap().set_len(MAX_PRELOAD + 1).unwrap();
        let seen = [&script, &large, &folder, &folder.join("missing.js")].map(|path| read(path).map_err(|error| error.to_string()));
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(seen[0], Ok("ok()".to_owned()));
        assert_eq!(seen[1], Err("it is larger than 64 MiB".to_owned()));
        assert_eq!(seen[2], Err("it is not a file".to_owned()));
        assert_eq!(seen[3], Err("No such file or directory (os error 2)".to_owned()));
    }
}
