//! Builds the page in `web/` with npm into `OUT_DIR/dashboard`, which the server embeds.
//!
//! Nothing is written outside `OUT_DIR`: the sources are copied there first, so that a published package builds
//! as a checkout does. `TICKERTAPE_WEB_DIST` names a page built elsewhere; without the `dashboard` feature there
//! is nothing to do.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// What the build of the page reads, relative to the package root. Never `web/` itself: it holds `node_modules`.
const INPUTS: &[&str] = &[
    "web/index.html",
    "web/src",
    "web/package.json",
    "web/package-lock.json",
    "web/tsconfig.json",
    "web/vite.config.ts",
];

/// How to go on where the page cannot be built here.
const WAYS_ON: &[&str] = &[
    "  - install Node.js (20.19 or later, or 22.12 or later) with npm: https://nodejs.org",
    "  - or set TICKERTAPE_WEB_DIST to a page built elsewhere with `npm ci && npm run build` (its web/dist)",
    "  - or build without the page: cargo build --no-default-features",
];

fn main() {
    println!("cargo::rerun-if-changed=web/build.rs");
    if env::var_os("CARGO_FEATURE_DASHBOARD").is_none() {
        return;
    }
    for name in ["TICKERTAPE_WEB_DIST", "NPM", "DOCS_RS"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let dashboard = out.join("dashboard");
    if let Some(prebuilt) = env::var_os("TICKERTAPE_WEB_DIST").filter(|path| !path.is_empty()) {
        use_prebuilt(Path::new(&prebuilt), &dashboard);
    } else if env::var_os("DOCS_RS").is_some() {
        replace_dir(&dashboard);
    } else {
        build(&out.join("web"), &dashboard);
    }
}

/// Takes a page that was built elsewhere.
fn use_prebuilt(dist: &Path, dashboard: &Path) {
    if !dist.join("index.html").is_file() {
        fail(&[&format!(
            "TICKERTAPE_WEB_DIST is {}, which has no index.html. It must name the web/dist that `npm run build` made \
             (a relative path starts at the package root).",
            dist.display()
        )]);
    }
    println!("cargo::rerun-if-changed={}", dist.display());
    replace_dir(dashboard);
    copy(dist, dashboard);
}

/// Builds the page from a copy of its sources in `work`.
fn build(work: &Path, dashboard: &Path) {
    let npm = env::var("NPM")
        .unwrap_or_else(|_| if cfg!(windows) { "npm.cmd" } else { "npm" }.to_owned());
    copy_inputs(work);
    check_tools(&npm);
    install(&npm, work);
    let mut vite = npm_command(&npm, work);
    vite.args([
        "run",
        "--silent",
        "build",
        "--",
        "--emptyOutDir",
        "--outDir",
    ])
    .arg(dashboard);
    run(vite, "the page in web/ did not build");
    if !dashboard.join("index.html").is_file() {
        fail(&["`npm run build` in web/ succeeded but wrote no index.html"]);
    }
}

/// Copies the sources and tells cargo to watch them. A path that does not exist is not named to cargo, which would
/// take it for a change at every build.
fn copy_inputs(work: &Path) {
    replace_dir(&work.join("src"));
    for input in INPUTS.iter().map(Path::new).filter(|input| input.exists()) {
        println!("cargo::rerun-if-changed={}", input.display());
        copy(
            input,
            &work.join(input.strip_prefix("web").expect("inputs are in web/")),
        );
    }
}

/// Stops with advice where npm or Node.js is missing, or Node.js is too old for Vite.
fn check_tools(npm: &str) {
    if version(npm).is_none() {
        fail_with_advice(&format!(
            "npm is needed to build the page in web/, and `{npm} --version` does not run."
        ));
    }
    let Some(node) = version("node") else {
        fail_with_advice(
            "Node.js is needed to build the page in web/, and `node --version` does not run.",
        );
    };
    if !is_node_recent(&node) {
        fail_with_advice(&format!(
            "Node.js {node} is too old to build the page in web/."
        ));
    }
}

/// Whether Vite runs on this Node.js: `^20.19 || >=22.12`.
fn is_node_recent(version: &str) -> bool {
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (major == 20 && minor >= 19) || (major == 22 && minor >= 12) || major > 22
}

/// What `program --version` prints, if it runs.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Installs the build's own packages, unless the lock file is the one that was installed last.
fn install(npm: &str, work: &Path) {
    let lock = must(
        fs::read(work.join("package-lock.json")),
        "read web/package-lock.json",
    );
    let stamp = work.with_file_name("npm-ci.stamp");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return;
    }
    // Tests and types are not needed here; the native part of Vite's bundler is an optional package and is.
    let mut ci = npm_command(npm, work);
    ci.args([
        "ci",
        "--omit=dev",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
    ]);
    run(
        ci,
        "`npm ci` in web/ failed (without a network, TICKERTAPE_WEB_DIST or --no-default-features helps)",
    );
    must(fs::write(&stamp, lock), "write npm-ci.stamp");
}

fn npm_command(npm: &str, work: &Path) -> Command {
    let mut command = Command::new(npm);
    command.current_dir(work).env_remove("NODE_ENV");
    command
}

/// Runs a command to its end, and shows what it printed only if it fails.
fn run(mut command: Command, complaint: &str) {
    let output = must(command.output(), "start npm");
    if !output.status.success() {
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        fail(&[&[complaint], &*printed.lines().collect::<Vec<_>>()].concat());
    }
}

/// Copies a file, or a folder with all it holds.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        must(fs::create_dir_all(to), "make a folder in OUT_DIR");
        for entry in must(fs::read_dir(from), "list a folder of the page") {
            let entry = must(entry, "list a folder of the page");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        must(fs::copy(from, to), &format!("copy {}", from.display()));
    }
}

/// Makes an empty folder, whatever was there.
fn replace_dir(dir: &Path) {
    if dir.exists() {
        must(fs::remove_dir_all(dir), "clear a folder in OUT_DIR");
    }
    must(fs::create_dir_all(dir), "make a folder in OUT_DIR");
}

fn must<T>(result: io::Result<T>, what: &str) -> T {
    result.unwrap_or_else(|error| fail(&[&format!("could not {what}: {error}")]))
}

fn fail_with_advice(complaint: &str) -> ! {
    fail(&[&[complaint, "Any of these goes on:"], WAYS_ON].concat())
}

fn fail(lines: &[&str]) -> ! {
    for line in lines {
        println!("cargo::error={line}");
    }
    process::exit(1)
}
