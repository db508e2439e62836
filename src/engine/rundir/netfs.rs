//! Is a directory on a network file system? There `flock` may hold on one machine only and a sync may not reach a disk.

use std::io;

use crate::engine::journal::Dir;

/// `f_type` of file systems that live on other machines (`man 2 statfs`, `linux/magic.h`).
const NETWORK: [(u32, &str); 12] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xfe53_4d42, "SMB2"),
    (0xff53_4d42, "CIFS"),
    (0x564c, "NCP"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "kAFS"),
    (0x7375_7245, "Coda"),
    (0x00c3_6400, "Ceph"),
    (0x0bd0_0bd0, "Lustre"),
    (0x1983_0326, "BeeGFS"),
    (0x013_1111, "OrangeFS"),
];
/// One number for everything served by a user process: the mount table says what it is.
const FUSE: u32 = 0x6573_5546;
/// Those of them that are local: block devices, and a virtual machine's share of its host's disk.
const LOCAL_FUSE: [&str; 2] = ["fuseblk", "virtiofs"];

/// The kind of network file system that `dir` is on, `None` on a local one.
#[cfg(target_os = "linux")]
pub(super) fn network_kind(dir: &Dir) -> io::Result<Option<String>> {
    let magic = dir.fs_magic()?;
    if magic != FUSE {
        return Ok(judge(magic, None));
    }
    let table = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    Ok(judge(magic, mounted_as(&table, dir.device()?)))
}

/// Elsewhere the kind of file system is not known by number, and nothing is refused.
#[cfg(not(target_os = "linux"))]
pub(super) fn network_kind(_dir: &Dir) -> io::Result<Option<String>> {
    Ok(None)
}

/// The verdict on a file system of type `magic`, mounted as `mounted`.
pub(super) fn judge(magic: u32, mounted: Option<&str>) -> Option<String> {
    if magic == FUSE {
        let kind = mounted.unwrap_or("fuse");
        return (!LOCAL_FUSE.contains(&kind)).then(|| kind.to_owned());
    }
    NETWORK
        .iter()
        .find(|(known, _)| *known == magic)
        .map(|(_, name)| (*name).to_owned())
}

/// The type of the mount with this device number, from the text of `/proc/self/mountinfo` (`man 5 proc_pid_mountinfo`).
pub(super) fn mounted_as(table: &str, (major, minor): (u32, u32)) -> Option<&str> {
    let device = format!("{major}:{minor}");
    table.lines().find_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        let is_it = mount.split(' ').nth(2) == Some(device.as_str());
        is_it.then(|| source.split(' ').next()).flatten()
    })
}
