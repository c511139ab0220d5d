//! Keys as the paths of files. S3 limits a key as a whole, a file system each of its levels.

/// The longest key, in bytes.
const KEY_MAX: usize = 1024;
/// The longest name of a file or a folder, in bytes.
const NAME_MAX: usize = 255;
/// So much of a longer level is a folder of its own, in bytes.
const KEPT: usize = 240;
/// What the name of such a folder ends with: the level goes on in the folder.
const GOES_ON: char = '…';

/// The path of a key's file below the folder of its bucket; `None` where there can be no such file.
pub(super) fn path_of(key: &str) -> Option<String> {
    if key.len() > KEY_MAX || key.contains('\0') {
        return None;
    }
    let levels: Option<Vec<String>> = key.split('/').map(path_of_level).collect();
    Some(levels?.join("/"))
}

fn path_of_level(level: &str) -> Option<String> {
    if matches!(level, "" | "." | "..") || level.ends_with(GOES_ON) {
        return None;
    }
    let (mut path, mut rest) = (String::new(), level);
    while rest.len() > NAME_MAX {
        let (kept, after) = rest.split_at(rest.floor_char_boundary(KEPT));
        path.push_str(kept);
        path.push(GOES_ON);
        path.push('/');
        rest = after;
    }
    path.push_str(rest);
    Some(path)
}

/// What the keys of the files in a folder begin with.
pub(super) fn keys_in(folder_key: &str) -> String {
    match folder_key.strip_suffix(GOES_ON) {
        Some(level) => level.to_owned(),
        None if folder_key.is_empty() => String::new(),
        None => format!("{folder_key}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_level_is_folders_in_folders_and_each_key_has_one_path() {
        let long = "日".repeat(200);
        let path = path_of(&format!("a/{long}/b")).unwrap();
        assert!(path.split('/').all(|name| name.len() <= NAME_MAX), "{path}");
        let key = path.split('/').fold(String::new(), |folder, name| {
            format!("{}{name}", keys_in(&folder))
        });
        assert_eq!(key, format!("a/{long}/b"));
        assert_eq!(path_of("a/b.json").as_deref(), Some("a/b.json"));
        for unfit in ["", "a//b", "a/../b", "a…/b", "a\0", &"k".repeat(1025)] {
            assert_eq!(path_of(unfit), None, "{unfit}");
        }
    }
}
