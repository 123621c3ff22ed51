//! Keeps the server on one core and the generator on another, so that neither takes the other's time.

use std::io;

/// A core for each side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) generator: usize,
}

impl Cores {
    /// The first and the last core that this process may use: the least likely to be halves of one.
    ///
    /// # Errors
    /// If there are not two, or the system pins nothing.
    pub(crate) fn choose() -> Result<Self, String> {
        let allowed = allowed().map_err(|error| error.to_string())?;
        match allowed[..] {
            [server, .., generator] => Ok(Self { server, generator }),
            _ => Err("needs two cores, and this process may use one".into()),
        }
    }
}

/// Moves the calling thread. Threads and processes that it starts from now on begin there.
///
/// # Errors
/// If the core is gone or not for us.
#[cfg(target_os = "linux")]
pub(crate) fn to(core: usize) -> io::Result<()> {
    let mut set = rustix::thread::CpuSet::new();
    set.set(core);
    Ok(rustix::thread::sched_setaffinity(None, &set)?)
}

#[cfg(target_os = "linux")]
fn allowed() -> io::Result<Vec<usize>> {
    let set = rustix::thread::sched_getaffinity(None)?;
    Ok((0..rustix::thread::CpuSet::MAX_CPU)
        .filter(|core| set.is_set(*core))
        .collect())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn to(_: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> io::Result<Vec<usize>> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_pinned_thread_may_use_one_core_and_so_may_its_children() {
        // A thread of its own, since it stays pinned.
        let pinned = std::thread::spawn(|| {
            let first = allowed().unwrap()[0];
            to(first).unwrap();
            let child = std::thread::spawn(|| allowed().unwrap());
            (first, child.join().unwrap(), Cores::choose())
        });
        let (first, childs, choice) = pinned.join().unwrap();
        assert_eq!(childs, [first]);
        assert!(choice.unwrap_err().contains("two cores"));
    }
}
