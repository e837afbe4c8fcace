//! A player makes random calls on all tiers, and moves blocks between them.

use kvbm_logical::nashtrace_blocks::Tier;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::copies::{Hop, Tally};
use crate::hand::{BATCH, Hand, part};
use crate::recording;
use crate::tiers::{G1, G2, G3, TierOf, Tiers};

/// Calls after which a player waits until the trace has everything: nothing may be lost here.
const CALLS_BETWEEN_FLUSHES: u64 = 10_000;

/// Make `calls` random calls.
///
/// # Errors
///
/// If a slot does not hold what its hash says, or the trace cannot be written.
pub fn play(tiers: &Tiers, seed: u64, calls: u64) -> anyhow::Result<Tally> {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let mut player = Player::default();
    for call in 1..=calls {
        player.call(tiers, &mut rng)?;
        if call % CALLS_BETWEEN_FLUSHES == 0 {
            recording::flush()?;
        }
    }
    let refused = player.g1.refused + player.g2.refused + player.g3.refused;
    player.tally.refused_allocations += refused;
    Ok(player.tally)
}

#[derive(Default)]
struct Player {
    g1: Hand<G1>,
    g2: Hand<G2>,
    g3: Hand<G3>,
    tally: Tally,
}

impl Player {
    fn call(&mut self, tiers: &Tiers, rng: &mut ChaCha12Rng) -> anyhow::Result<()> {
        match rng.random_range(0..100) {
            0..40 => self.g1.play(&tiers.g1, &tiers.prompts, rng),
            40..60 => self.g2.play(&tiers.g2, &tiers.prompts, rng),
            60..80 => self.g3.play(&tiers.g3, &tiers.prompts, rng),
            80..88 => {
                let hop = Hop { from: Tier::G1, to: Tier::G2 };
                self.offload(
                    hop,
                    (&tiers.g1, &tiers.g2),
                    |player| &player.g1,
                    |player| &mut player.g2,
                    rng,
                )
            }
            88..92 => {
                let hop = Hop { from: Tier::G2, to: Tier::G3 };
                self.offload(
                    hop,
                    (&tiers.g2, &tiers.g3),
                    |player| &player.g2,
                    |player| &mut player.g3,
                    rng,
                )
            }
            _ => self.onboard(tiers, rng),
        }
    }

    /// Copy some of what is held to the tier below.
    fn offload<S, D>(
        &mut self,
        hop: Hop,
        (source, target): (&TierOf<S>, &TierOf<D>),
        from: fn(&Self) -> &Hand<S>,
        to: fn(&mut Self) -> &mut Hand<D>,
        rng: &mut ChaCha12Rng,
    ) -> anyhow::Result<()>
    where
        S: Clone + Send + Sync + 'static,
        D: Clone + Send + Sync + 'static,
    {
        let count = rng.random_range(1..=BATCH);
        let blocks: Vec<_> = from(self).held.choose_multiple(rng, count).cloned().collect();
        let mut tally = self.tally;
        let registered = hop.copy(source, target, &blocks, &mut tally)?;
        self.tally = tally;
        to(self).take(target, registered)
    }

    /// Look a part of a prompt up from the top, and copy up what only a lower tier has.
    fn onboard(&mut self, tiers: &Tiers, rng: &mut ChaCha12Rng) -> anyhow::Result<()> {
        let wanted = part(&tiers.prompts, rng);
        let device = tiers.g1.manager.match_blocks(wanted);
        let rest = &wanted[device.len()..];
        let host = tiers.g2.manager.match_blocks(rest);
        let disk = tiers.g3.manager.match_blocks(&rest[host.len()..]);
        let up = Hop { from: Tier::G2, to: Tier::G1 };
        let from_host = up.copy(&tiers.g2, &tiers.g1, &host, &mut self.tally)?;
        let up = Hop { from: Tier::G3, to: Tier::G1 };
        let from_disk = up.copy(&tiers.g3, &tiers.g1, &disk, &mut self.tally)?;
        for found in [device, from_host, from_disk] {
            self.g1.take(&tiers.g1, found)?;
        }
        Ok(())
    }
}
