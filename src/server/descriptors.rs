//! How many files and sockets the process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Connections leave a tenth of them to everything else, and at least so many, and so many for each worker.
const LEAST_RESERVE: u64 = 64;
const OF_A_WORKER: u64 = 8;

/// Descriptors of the process.
#[derive(Clone, Copy, Debug)]
pub struct Descriptors(u64);

impl Descriptors {
    /// Raises their limit as far as the process may do so by itself.
    pub fn raise() -> Self {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let highest = Rlimit {
            current: maximum,
            maximum,
        };
        // Where that is refused, what there is must do.
        let _ = setrlimit(Resource::Nofile, highest);
        Self(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
    }

    /// How many there may be.
    pub fn limit(self) -> u64 {
        self.0
    }

    /// How many of them connections may have, if nobody says otherwise.
    pub fn for_connections(self, workers: usize) -> usize {
        let least = LEAST_RESERVE + OF_A_WORKER * workers as u64;
        let reserve = least.max(self.0 / 10);
        let rest = self.0.saturating_sub(reserve).max(1);
        usize::try_from(rest).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_a_reserve() {
        for (limit, workers, connections) in [
            (20_000, 2, 18_000),
            (20_000, 512, 15_840),
            (256, 2, 176),
            (64, 2, 1),
            (0, 1, 1),
        ] {
            let descriptors = Descriptors(limit);
            assert_eq!(descriptors.for_connections(workers), connections);
        }
    }

    #[test]
    fn the_limit_is_the_highest_that_the_process_may_have() {
        let raised = Descriptors::raise();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert_eq!(Some(raised.limit()), limit.current);
    }
}
