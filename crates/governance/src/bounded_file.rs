//! A whole file within a bound: what lies at a path may be anybody's, and of any size.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Most memory that is taken on a file's word.
const ROOM_MOST: u64 = 1 << 20;

/// The bytes of a file.
///
/// # Errors
/// What the system says; [`ErrorKind::FileTooLarge`] where there are more than `most`, whatever the file says of its own size.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    // What it says of its size spares most reads, and is believed in nothing else.
    let room = file.metadata()?.len().min(most).saturating_add(1);
    let mut bytes = Vec::with_capacity(usize::try_from(room.min(ROOM_MOST)).unwrap_or_default());
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size <= most) {
        Ok(bytes)
    } else {
        Err(io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {most} bytes")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_is_not_read_and_what_has_no_size_is_not_read_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "four").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"four");
        for (path, most) in [(path.as_path(), 3), (Path::new("/dev/zero"), 1000)] {
            assert_eq!(read(path, most).unwrap_err().kind(), ErrorKind::FileTooLarge);
        }
        assert_eq!(read(&dir.path().join("b"), 4).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
