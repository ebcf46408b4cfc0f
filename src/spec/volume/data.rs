//! `configMap` and `secret`: the keys of a ConfigMap or a Secret as files.

use serde::Serialize;

use super::File;
use crate::spec::data::{Data, DataRef};
use crate::spec::is_default;

/// A `configMap` or `secret` volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataVolume {
    /// Whose keys.
    pub of: DataRef,
    /// Permission bits of files whose item says none; default 0644.
    pub default_mode: u32,
    /// Which keys, and where; `None`: every key under its own name.
    #[serde(skip_serializing_if = "is_default")]
    pub items: Option<Vec<Item>>,
    /// That it, or a key, is missing is no fault.
    #[serde(skip_serializing_if = "is_default")]
    pub optional: bool,
}

/// One entry of `items`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Key of the ConfigMap or the Secret.
    pub key: String,
    /// Relative path in the volume; never climbs.
    pub path: String,
    /// Permission bits; `None`: the volume's default.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: Option<u32>,
}

impl DataVolume {
    /// The files that the volume holds, in the order of their paths. A key that is not there is left out:
    /// the loader has refused it unless it is optional.
    #[must_use]
    pub fn files(&self, data: Option<&Data>) -> Vec<File> {
        let Some(Data { values, .. }) = data else {
            return Vec::new();
        };
        let mut files: Vec<File> = match &self.items {
            None => values
                .iter()
                .map(|(key, content)| File {
                    path: key.clone(),
                    mode: self.default_mode,
                    content: content.clone(),
                })
                .collect(),
            Some(items) => items
                .iter()
                .filter_map(|item| {
                    let content = values.get(&item.key)?.clone();
                    Some(File {
                        path: item.path.clone(),
                        mode: item.mode.unwrap_or(self.default_mode),
                        content,
                    })
                })
                .collect(),
        };
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::data::DataKind;

    fn volume(items: Option<Vec<Item>>) -> DataVolume {
        DataVolume {
            of: DataRef::new(DataKind::ConfigMap, "c"),
            default_mode: 0o644,
            items,
            optional: false,
        }
    }

    fn data() -> Data {
        Data::new([("b".into(), b"2".to_vec()), ("a".into(), b"1".to_vec())])
    }

    #[test]
    fn without_items_every_key_is_a_file() {
        let files = volume(None).files(Some(&data()));
        assert_eq!(
            files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert!(files.iter().all(|f| f.mode == 0o644));
    }

    #[test]
    fn items_choose_keys_paths_and_modes() {
        let item = Item {
            key: "b".into(),
            path: "sub/x".into(),
            mode: Some(0o400),
        };
        let files = volume(Some(vec![item])).files(Some(&data()));
        assert_eq!(
            files,
            [File {
                path: "sub/x".into(),
                mode: 0o400,
                content: b"2".to_vec()
            }]
        );
    }

    #[test]
    fn of_what_is_missing_there_are_no_files() {
        assert!(volume(None).files(None).is_empty());
    }
}
