//! What can happen.

use proptest::prelude::*;

use super::way::Room;
use super::{CLIENTS, SYMBOLS};
use crate::wire::terms::{Mode, Policy, Terms};

/// One thing that happens. Clients and symbols are numbers; a set is a mask.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    /// A batch of one tick for each symbol of the mask.
    Publish(u8),
    /// So many batches of one symbol, without a chance for the worker to run.
    Burst(usize, u64),
    /// Time for the worker, and on the clock.
    Pass(u64),
    /// A session begins, where the client's last one ended if there was one and it may.
    Open {
        client: usize,
        set: u8,
        terms: Terms,
        resume: bool,
    },
    /// The client polls once from where it is, over whatever it did before.
    Poll { client: usize, set: u8, mode: Mode },
    /// So much more is taken for the client and nothing else.
    Take(usize, Room),
    /// The client reads whatever comes.
    Read(usize),
    /// The client is gone after it has read so much of what has come: a cut in mid-frame.
    Cut(usize, Room),
    /// The session changes its symbols.
    Change(usize, u8),
    /// The session changes its terms.
    Renegotiate(usize, Terms),
    /// The transport says something of its own.
    Reply(usize),
}

fn terms() -> impl Strategy<Value = Terms> {
    let mode = prop_oneof![3 => Just(Mode::Every), 1 => Just(Mode::Conflate)];
    let policy = prop_oneof![2 => Just(Policy::Conflate), 1 => Just(Policy::Disconnect)];
    (mode, prop_oneof![Just(0u32), 1..50u32], policy).prop_map(|(mode, max_rate, policy)| Terms {
        mode,
        max_rate,
        policy,
    })
}

fn room() -> impl Strategy<Value = Room> {
    let bytes = prop_oneof![Just(0), 1..300usize, 1..10_000usize];
    (0..4usize, bytes).prop_map(|(frames, bytes)| Room { frames, bytes })
}

fn op() -> impl Strategy<Value = Op> {
    let client = 0..CLIENTS;
    let set = 0..8u8;
    prop_oneof![
        12 => (1..8u8).prop_map(Op::Publish),
        4 => (0..SYMBOLS.len(), 2..100u64).prop_map(|(symbol, count)| Op::Burst(symbol, count)),
        1 => (0..SYMBOLS.len(), 1_000..1_300u64).prop_map(|(symbol, count)| Op::Burst(symbol, count)),
        12 => (0..200u64).prop_map(Op::Pass),
        3 => (client.clone(), set.clone(), terms(), any::<bool>())
            .prop_map(|(client, set, terms, resume)| Op::Open { client, set, terms, resume }),
        1 => (client.clone(), set.clone(), prop_oneof![Just(Mode::Every), Just(Mode::Conflate)])
            .prop_map(|(client, set, mode)| Op::Poll { client, set, mode }),
        5 => (client.clone(), room()).prop_map(|(client, room)| Op::Take(client, room)),
        3 => client.clone().prop_map(Op::Read),
        1 => (client.clone(), room()).prop_map(|(client, room)| Op::Cut(client, room)),
        1 => (client.clone(), set).prop_map(|(client, set)| Op::Change(client, set)),
        1 => (client.clone(), terms()).prop_map(|(client, terms)| Op::Renegotiate(client, terms)),
        1 => client.prop_map(Op::Reply),
    ]
}

/// A story.
pub(crate) fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 1..120)
}
