//! The floor on systems without epoll: there is none.

use anyhow::bail;

use crate::cli::FloorOptions;
use crate::interrupt::Interrupt;

/// # Errors
/// Always.
pub(crate) async fn serve(_: &FloorOptions, _: &Interrupt) -> anyhow::Result<()> {
    bail!("the floor is made of epoll, which this system does not have; run it on Linux")
}
