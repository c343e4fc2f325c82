//! What the system says of a file or folder, in words that people understand. Knows no path.

use std::io::{self, ErrorKind};

/// What is wrong with a path, as far as the kind of the error tells.
pub(crate) fn words(error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::NotFound => "no such file or folder",
        ErrorKind::IsADirectory => "is a folder",
        ErrorKind::NotADirectory => "a part of the path is a file, not a folder",
        ErrorKind::AlreadyExists => "is a file",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "permission is denied",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "no space left",
        ErrorKind::InvalidFilename => "the name is too long or holds what no name may hold",
        ErrorKind::InvalidData if error.to_string().contains("UTF-8") => "not UTF-8",
        _ => return error.to_string(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn no_number_of_the_system_is_shown_where_the_kind_is_known() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, b"\xff").unwrap();
        let told = [
            fs::read(root.path().join("none")).map(drop),
            fs::read(root.path()).map(drop),
            fs::read(file.join("below")).map(drop),
            fs::create_dir_all(&file),
            fs::read_to_string(&file).map(drop),
            fs::File::create(root.path().join("long".repeat(100))).map(drop),
        ];
        for error in told.map(Result::unwrap_err) {
            let words = words(&error);
            assert!(!words.contains("os error") && !words.contains("stream"), "{words}");
        }
    }
}
