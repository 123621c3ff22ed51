//! The result as programs read it: one JSON file, written whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hdrhistogram::serialization::{Serializer, V2DeflateSerializer};
use serde_json::{Value, json};

use crate::outcome::Outcome;

/// Grows when a field changes its meaning or goes away.
const SCHEMA_VERSION: u32 = 2;

/// The file asked for with `--json`.
#[derive(Debug)]
pub(crate) struct Export {
    path: PathBuf,
    /// Beside the file, so that the rename stays on one file system.
    draft: PathBuf,
}

impl Export {
    /// Finds out before the run whether the file can be written after it.
    pub(crate) fn prepare(path: &Path) -> Result<Self, String> {
        let refuse =
            |reason: &dyn std::fmt::Display| format!("--json {}: {reason}", path.display());
        if path.is_dir() {
            return Err(refuse(&"is a directory"));
        }
        let name = path.file_name().ok_or_else(|| refuse(&"is no file name"))?;
        let draft = path.with_file_name(format!(
            ".{}.{}",
            name.to_string_lossy(),
            std::process::id()
        ));
        fs::write(&draft, b"").map_err(|error| refuse(&error))?;
        Ok(Self {
            path: path.to_owned(),
            draft,
        })
    }

    /// Writes what there is so far: called after every run, since a later one may fail.
    /// `ratios` is null where nothing is compared in pairs.
    pub(crate) fn write(
        &self,
        config: &Value,
        results: &[Value],
        ratios: &Value,
    ) -> anyhow::Result<()> {
        let document = json!({
            "schema_version": SCHEMA_VERSION,
            "tool": { "name": "loadtest", "version": env!("CARGO_PKG_VERSION"), "optimized": !cfg!(debug_assertions) },
            "host": host(),
            "config": config,
            "results": results,
            "ratios": ratios,
        });
        let text = serde_json::to_string_pretty(&document)? + "\n";
        fs::write(&self.draft, text)
            .and_then(|()| fs::rename(&self.draft, &self.path))
            .with_context(|| format!("--json {}", self.path.display()))
    }
}

impl Drop for Export {
    fn drop(&mut self) {
        // After a rename there is none, and then this fails as it should.
        let _ = fs::remove_file(&self.draft);
    }
}

fn host() -> Value {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    json!({
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "kernel": kernel.as_deref().map(str::trim_end),
        "cores": std::thread::available_parallelism().ok().map(std::num::NonZero::get),
    })
}

/// All figures of a run.
///
/// # Errors
/// If the histogram can't be serialized.
pub(crate) fn result(outcome: &Outcome) -> anyhow::Result<Value> {
    let tally = &outcome.tally;
    let mut histogram = Vec::new();
    V2DeflateSerializer::new()
        .serialize(&tally.ages, &mut histogram)
        .context("can't serialize the histogram")?;
    Ok(json!({
        "transport": outcome.transport,
        "good": outcome.is_good(),
        "verdict": outcome.verdict(),
        "warnings": outcome.warnings().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "interrupted": outcome.interrupted,
        "window_seconds": outcome.seconds,
        "clients": {
            "asked": outcome.asked,
            "connected": outcome.connected,
            "failed": outcome.failed,
            "dropped": outcome.dropped,
            "heard": tally.heard,
            "reopened": tally.reopened,
        },
        "troubles": tally.troubles,
        "ticks": tally.ticks,
        "ticks_per_second": outcome.ticks_per_second(),
        "age_us": {
            "p50": outcome.age_us(0.5),
            "p90": outcome.age_us(0.9),
            "p99": outcome.age_us(0.99),
            "p999": outcome.age_us(0.999),
            "max": outcome.age_us(1.0),
            "mean": (tally.ticks > 0).then(|| tally.ages.mean()),
        },
        "age_histogram": {
            "unit": "microseconds",
            "encoding": "HdrHistogram V2 deflate, base64",
            "data": BASE64_STANDARD.encode(histogram),
        },
        "clock": { "offset_us": outcome.clock.offset_us, "error_us": outcome.clock.error_us },
        "wire": {
            "bytes_in": tally.bytes_in,
            "bytes_out": tally.bytes_out,
            "bytes_per_second": outcome.bytes_per_second(),
            "bytes_per_tick": outcome.bytes_per_tick(),
        },
        "requests": tally.requests,
        "server": server(outcome),
        "audit": tally.findings,
        "generator": {
            "busy_us": tally.strain.busy_us,
            "waited_us": tally.strain.waited_us,
            "timers": tally.strain.timers,
            "late_timers": tally.strain.late,
            "worst_late_us": tally.strain.worst_us,
        },
    }))
}

/// What the run cost the server, or why that is not known.
fn server(outcome: &Outcome) -> Value {
    let cost = match &outcome.cost {
        Ok(cost) => cost,
        Err(reason) => return json!({ "unknown": reason.to_string() }),
    };
    let per_tick = outcome.cpu_per_tick_us();
    json!({
        "pid": cost.pid,
        "cpu_us": {
            "user": cost.user_us,
            "system": cost.system_us,
            "total": cost.cpu_us(),
            "error": cost.error_us(),
        },
        "cpu_us_per_tick": per_tick.map(|(user, system)| json!({
            "user": user,
            "system": system,
            "total": user + system,
        })),
        "resident_bytes": { "before": cost.resident_before, "after": cost.resident_after },
        "memory_bytes_per_client": outcome.memory_per_client(),
    })
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;

    use super::*;
    use crate::outcome::tests::sample;

    #[test]
    fn the_histogram_survives_the_trip() {
        let value = result(&sample()).unwrap();
        let packed = BASE64_STANDARD
            .decode(value["age_histogram"]["data"].as_str().unwrap())
            .unwrap();
        let ages: Histogram<u64> = Deserializer::new()
            .deserialize(&mut packed.as_slice())
            .unwrap();
        assert_eq!((ages.len(), ages.value_at_quantile(0.9)), (100, 900));
        assert_eq!(
            (&value["age_us"]["p90"], &value["good"]),
            (&json!(900), &json!(true))
        );
    }

    #[test]
    fn the_server_s_cost_is_there_or_the_reason_why_not() {
        let mut outcome = sample();
        let value = result(&outcome).unwrap();
        assert_eq!(value["server"]["cpu_us_per_tick"]["total"], json!(10.0));
        assert_eq!(value["server"]["memory_bytes_per_client"], json!(10_240.0));
        outcome.cost = Err(crate::process::Unmeasured::NoProc);
        let value = result(&outcome).unwrap();
        assert_eq!(
            value["server"],
            json!({ "unknown": "this system has no /proc to tell them" })
        );
    }

    #[test]
    fn the_file_appears_whole_and_the_draft_goes() {
        let folder = std::env::temp_dir().join(format!("loadtest-export-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("out.json");
        let export = Export::prepare(&path).unwrap();
        assert!(!path.exists(), "nothing is there before there is a result");
        let results = [result(&sample()).unwrap()];
        export.write(&json!({}), &results, &Value::Null).unwrap();
        drop(export);
        let document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(
            (
                &document["schema_version"],
                &document["results"][0]["transport"]
            ),
            (&json!(2), &json!("sse"))
        );
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(&folder).unwrap();
    }
}
