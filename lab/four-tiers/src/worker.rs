//! A worker whose tiers are arenas of host memory: it makes the copies that the engine asks for, and fails some.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::{Result, bail, ensure};
use futures::future::{BoxFuture, FutureExt, ready};
use kvbm_engine::object::ObjectBlockOps;
use kvbm_engine::worker::{
    ConnectRemoteResponse, ImportMetadataResponse, LayoutHandle, RemoteDescriptor,
    SerializedLayout, SerializedLayoutResponse, TransferCompleteNotification, Worker,
    WorkerTransfers,
};
use kvbm_engine::{BlockId, InstanceId, LogicalLayoutHandle, SequenceHash};
use kvbm_physical::transfer::TransferOptions;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::tally::{Tally, route};

/// What a block holds: its own hash, so that a copy can be checked.
type Content = u128;

/// One in so many copies and objects fails.
const FAILS_ONE_IN: u32 = 10;

/// See the module documentation.
pub struct ArenaWorker {
    state: Arc<Mutex<State>>,
}

struct State {
    /// G1, G2 and G3.
    arenas: [Vec<Content>; 3],
    objects: HashMap<SequenceHash, Content>,
    faults: ChaCha8Rng,
    tally: Tally,
}

impl ArenaWorker {
    /// A worker with so many blocks in G1, G2 and G3.
    pub fn new(blocks: [usize; 3], seed: u64) -> Self {
        let state = State {
            arenas: blocks.map(|blocks| vec![0; blocks]),
            objects: HashMap::new(),
            faults: ChaCha8Rng::seed_from_u64(seed),
            tally: Tally::default(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Compute a block in G1.
    pub fn compute(&self, block: BlockId, hash: SequenceHash) {
        self.state().arenas[0][block] = hash.as_u128();
    }

    /// Whether a block of G2 holds what belongs to a hash.
    pub fn holds(&self, block: BlockId, hash: SequenceHash) -> bool {
        self.state().arenas[1][block] == hash.as_u128()
    }

    /// What was copied, and what failed.
    pub fn tally(&self) -> Tally {
        self.state().tally.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics with it")
    }
}

fn arena(layout: LogicalLayoutHandle) -> Result<usize> {
    match layout {
        LogicalLayoutHandle::G1 => Ok(0),
        LogicalLayoutHandle::G2 => Ok(1),
        LogicalLayoutHandle::G3 => Ok(2),
        LogicalLayoutHandle::G4 => bail!("objects are no arena"),
    }
}

impl State {
    fn fails(&mut self) -> bool {
        self.faults.random_ratio(1, FAILS_ONE_IN)
    }

    fn copied(
        &mut self,
        from: LogicalLayoutHandle,
        to: LogicalLayoutHandle,
        done: usize,
        failed: usize,
    ) {
        let route = route(from, to);
        let is_offload = from as u8 <= to as u8;
        let event = if is_offload { "offload" } else { "onboard" };
        let outcome = if done > 0 { "done" } else { "failed" };
        self.tally.add(format!("{event} {route}"), done);
        self.tally.add(format!("copy {outcome} {route}"), 1);
        if is_offload {
            self.tally.add(format!("offload_skipped failed {route}"), failed);
        }
    }
}

impl WorkerTransfers for ArenaWorker {
    fn execute_local_transfer(
        &self,
        src: LogicalLayoutHandle,
        dst: LogicalLayoutHandle,
        src_block_ids: Arc<[BlockId]>,
        dst_block_ids: Arc<[BlockId]>,
        _options: TransferOptions,
    ) -> Result<TransferCompleteNotification> {
        let (from, to) = (arena(src)?, arena(dst)?);
        ensure!(src_block_ids.len() == dst_block_ids.len(), "as many sources as targets");
        let mut state = self.state();
        if state.fails() {
            state.copied(src, dst, 0, src_block_ids.len());
            bail!("injected");
        }
        for (source, target) in src_block_ids.iter().zip(&*dst_block_ids) {
            state.arenas[to][*target] = state.arenas[from][*source];
        }
        state.copied(src, dst, src_block_ids.len(), 0);
        Ok(TransferCompleteNotification::completed())
    }

    fn execute_remote_onboard(
        &self,
        _src: RemoteDescriptor,
        _dst: LogicalLayoutHandle,
        _dst_block_ids: Arc<[BlockId]>,
        _options: TransferOptions,
    ) -> Result<TransferCompleteNotification> {
        bail!("there is no other instance")
    }

    fn execute_remote_offload(
        &self,
        _src: LogicalLayoutHandle,
        _src_block_ids: Arc<[BlockId]>,
        _dst: RemoteDescriptor,
        _options: TransferOptions,
    ) -> Result<TransferCompleteNotification> {
        bail!("there is no other instance")
    }

    fn connect_remote(
        &self,
        _instance_id: InstanceId,
        _metadata: Vec<SerializedLayout>,
    ) -> Result<ConnectRemoteResponse> {
        bail!("there is no other instance")
    }

    fn has_remote_metadata(&self, _instance_id: InstanceId) -> bool {
        false
    }

    fn execute_remote_onboard_for_instance(
        &self,
        _instance_id: InstanceId,
        _remote_logical_type: LogicalLayoutHandle,
        _src_block_ids: Vec<BlockId>,
        _dst: LogicalLayoutHandle,
        _dst_block_ids: Arc<[BlockId]>,
        _options: TransferOptions,
    ) -> Result<TransferCompleteNotification> {
        bail!("there is no other instance")
    }
}

impl ObjectBlockOps for ArenaWorker {
    fn has_blocks(
        &self,
        keys: Vec<SequenceHash>,
    ) -> BoxFuture<'static, Vec<(SequenceHash, Option<usize>)>> {
        let state = self.state();
        let size = |key| state.objects.contains_key(&key).then_some(size_of::<Content>());
        let found = keys.into_iter().map(|key| (key, size(key))).collect();
        ready(found).boxed()
    }

    fn put_blocks(
        &self,
        keys: Vec<SequenceHash>,
        src_layout: LogicalLayoutHandle,
        block_ids: Vec<BlockId>,
    ) -> BoxFuture<'static, Vec<Result<SequenceHash, SequenceHash>>> {
        let mut state = self.state();
        let from = arena(src_layout).expect("objects come from an arena");
        let mut results = Vec::with_capacity(keys.len());
        for (key, block) in keys.into_iter().zip(block_ids) {
            if state.fails() {
                results.push(Err(key));
            } else {
                let content = state.arenas[from][block];
                state.objects.insert(key, content);
                results.push(Ok(key));
            }
        }
        let done = results.iter().filter(|result| result.is_ok()).count();
        state.copied(src_layout, LogicalLayoutHandle::G4, done, results.len() - done);
        ready(results).boxed()
    }

    fn get_blocks(
        &self,
        keys: Vec<SequenceHash>,
        dst_layout: LogicalLayoutHandle,
        block_ids: Vec<BlockId>,
    ) -> BoxFuture<'static, Vec<Result<SequenceHash, SequenceHash>>> {
        let mut state = self.state();
        let to = arena(dst_layout).expect("objects go to an arena");
        let mut results = Vec::with_capacity(keys.len());
        for (key, block) in keys.into_iter().zip(block_ids) {
            match state.objects.get(&key).copied() {
                Some(content) if !state.fails() => {
                    state.arenas[to][block] = content;
                    results.push(Ok(key));
                }
                _ => results.push(Err(key)),
            }
        }
        let done = results.iter().filter(|result| result.is_ok()).count();
        state.copied(LogicalLayoutHandle::G4, dst_layout, done, results.len() - done);
        ready(results).boxed()
    }
}

impl Worker for ArenaWorker {
    fn g1_handle(&self) -> Option<LayoutHandle> {
        None
    }

    fn g2_handle(&self) -> Option<LayoutHandle> {
        None
    }

    fn g3_handle(&self) -> Option<LayoutHandle> {
        None
    }

    fn export_metadata(&self) -> Result<SerializedLayoutResponse> {
        bail!("there is no other instance")
    }

    fn import_metadata(&self, _metadata: SerializedLayout) -> Result<ImportMetadataResponse> {
        bail!("there is no other instance")
    }
}
