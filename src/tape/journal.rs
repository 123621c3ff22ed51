//! The journal: a ring of recent batches, bounded in bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::wire::batch::Batch;

#[derive(Debug)]
pub(super) struct Journal {
    /// Without holes: each batch's seq is one more than that before it.
    batches: VecDeque<Arc<Batch>>,
    bytes: usize,
    max_bytes: usize,
    min_batches: usize,
}

impl Journal {
    /// Keeps at most `max_bytes`, but `min_batches` whatever their size: what a channel can still deliver must
    /// be here too, or a worker that lags could not be repaired.
    pub(super) fn new(max_bytes: usize, min_batches: usize) -> Self {
        Self {
            batches: VecDeque::new(),
            bytes: 0,
            max_bytes,
            min_batches,
        }
    }

    pub(super) fn push(&mut self, batch: Arc<Batch>) {
        self.bytes += batch.size();
        self.batches.push_back(batch);
        while self.bytes > self.max_bytes && self.batches.len() > self.min_batches {
            if let Some(oldest) = self.batches.pop_front() {
                self.bytes -= oldest.size();
            }
        }
    }

    /// The batches after `seq`, oldest first; `None` if one of them is gone.
    pub(super) fn after(&self, seq: u64) -> Option<impl Iterator<Item = &Arc<Batch>>> {
        let first = self.batches.front()?.cursor.seq;
        let skip = (seq + 1).checked_sub(first)?;
        // A seq beyond the newest batch has nothing after it.
        let skip = usize::try_from(skip).ok()?.min(self.batches.len());
        Some(self.batches.range(skip..))
    }
}
