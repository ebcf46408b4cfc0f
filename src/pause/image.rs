//! The pause program as an image.
//!
//! Not here: the image's form (`oci`), loading it.

use serde_json::json;

use crate::oci::{self, Image, Layer};
use crate::record::names;
use crate::spec::Architecture;

/// The name under which people find it; podctl goes by its ids.
const TAG: &str = "podctl/pause:1";
/// Nobody of any pod: a member that is root cannot read the pause's files through `/proc/1/root`.
const USER: u64 = 65535;
/// What nobody may read, Linux lets nobody trace: not even a member of the pause's own user.
const PROGRAM_MODE: u32 = 0o111;

pub(super) fn image(architecture: Architecture, program: &[u8]) -> Image {
    let config = json!({
        "Entrypoint": [names::PAUSE_PROGRAM], "User": format!("{USER}:{USER}"), "WorkingDir": "/"
    });
    oci::image(TAG, architecture, &config, layer(program))
}

/// `/pause`, and the folders that the record and the volumes are mounted on.
fn layer(program: &[u8]) -> Vec<u8> {
    let mut layer = Layer::default();
    layer.file("pause", PROGRAM_MODE, program);
    layer.folder("podctl", 0o755);
    layer.folder(names::RECORD_PATH, 0o700);
    layer.folder(names::VOLUMES_PATH, 0o755);
    layer.finish()
}
