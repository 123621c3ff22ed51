//! A process by the kernel's books, proc(5).

use std::time::Duration;

/// A process by its id.
pub(crate) struct Proc(pub(crate) u32);

impl Proc {
    fn path(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.0)
    }

    fn memory(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(self.path("status")).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap();
        let kib: u64 = line
            .trim_matches([':', ' ', '\t', 'k', 'B'])
            .parse()
            .unwrap();
        kib * 1024
    }

    /// Bytes resident now. The peak begins here.
    pub(crate) fn resident(&self) -> u64 {
        // 5 sets the peak back to what is resident.
        std::fs::write(self.path("clear_refs"), "5").unwrap();
        self.memory("VmRSS")
    }

    /// Bytes resident at most.
    pub(crate) fn peak(&self) -> u64 {
        self.memory("VmHWM")
    }

    /// Open descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        std::fs::read_dir(self.path("fd")).unwrap().count()
    }

    /// Time that it has had on cores.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(self.path("stat")).unwrap();
        let (_, after_name) = stat.rsplit_once(") ").unwrap();
        // utime and stime, in hundredths of a second.
        let fields = after_name.split(' ').skip(11).take(2);
        let ticks: u64 = fields.map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(10 * ticks)
    }
}
