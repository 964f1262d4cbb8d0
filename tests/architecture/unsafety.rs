//! Where unsafe code may stand: in `protocols/src/simd/` and nowhere else.

use std::path::{Path, PathBuf};

/// Every crate's root file, and every other binary's.
const FORBIDDING: &[&str] = &[
    "src/main.rs",
    "certs/src/lib.rs",
    "coordinator/src/lib.rs",
    "node/src/lib.rs",
    "protocols/wire/src/lib.rs",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All `.rs` files below `folder`, build output aside.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).expect("a source folder reads") {
            let path = entry.expect("a folder entry reads").path();
            let name = path.file_name().and_then(|name| name.to_str());
            if path.is_dir() && !matches!(name, Some("target" | ".git")) {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

#[test]
fn every_crate_but_protocols_forbids_unsafe_code() {
    for file in FORBIDDING {
        let source = read(&root().join(file));
        assert!(
            source.contains("#![forbid(unsafe_code)]"),
            "{file} does not forbid unsafe code"
        );
    }
}

#[test]
fn protocols_denies_unsafe_code_and_relaxes_it_for_simd_only() {
    let library = read(&root().join("protocols/src/lib.rs"));
    assert!(
        library.contains("#![deny(unsafe_code)]") || library.contains("#![forbid(unsafe_code)]")
    );
    let simd = root().join("protocols/src/simd");
    let relaxing = concat!("allow(", "unsafe_code)");
    for file in rust_files(root()) {
        let source = read(&file);
        let relaxed = source.contains(relaxing);
        let is_library = file == root().join("protocols/src/lib.rs");
        assert!(
            !relaxed || is_library || file.starts_with(&simd),
            "{} relaxes the ban on unsafe code",
            file.display()
        );
    }
    // The one relaxation in the library file stands on the simd module.
    let lines: Vec<&str> = library.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.contains(relaxing) {
            let next = lines.get(at + 1).copied().unwrap_or_default();
            assert!(
                format!("{line}{next}").contains("mod simd"),
                "line {} relaxes the ban for something other than simd",
                at + 1
            );
        }
    }
}

#[test]
fn the_unsafe_keyword_stands_in_simd_only() {
    let simd = root().join("protocols/src/simd");
    let keyword = concat!("unsafe", " ");
    for file in rust_files(root()) {
        if file.starts_with(&simd) {
            continue;
        }
        for (at, line) in read(&file).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let used = ["{", "fn ", "impl ", "extern "]
                .iter()
                .any(|after| code.contains(&format!("{keyword}{after}")));
            assert!(!used, "{}:{} has unsafe code", file.display(), at + 1);
        }
    }
}
