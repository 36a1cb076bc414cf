//! A model of one size of a task for another: where places count by their relations alone,
//! the weights are the same.

use hrm_core::task::Task;

use super::config::ModelConfig;
use crate::task::Game;

/// Why a model of one task does not serve another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OtherSize {
    /// Not two sizes of one kind.
    #[error("the model is one of {from}, and {to} is another kind of task, not another size of it")]
    Kind {
        /// The model's task.
        from: Game,
        /// What was wanted.
        to: Game,
    },
    /// Sizes whose tokens or relations differ.
    #[error(
        "a model of {from} has {} tokens and {} relations, and {to} has {} and {}: no weight of one fits the other; train one \
         with model.task = \"{to}\"",
        .from.vocab(), .from.relations(), .to.vocab(), .to.relations()
    )]
    Tokens {
        /// The model's task.
        from: Game,
        /// What was wanted.
        to: Game,
    },
    /// A model that knows each of its places.
    #[error(
        "the model knows each place of a {from} by {what}, and a {to} has others; only with model.positions = \"relation\" do \
         weights fit other sizes"
    )]
    Places {
        /// The model's task.
        from: Game,
        /// What was wanted.
        to: Game,
        /// What it knows them by.
        what: &'static str,
    },
}

/// Whether a model of `from` serves `to`; it may have learned positions, or rotated ones.
///
/// # Errors
/// Why not. A task serves itself, whatever the model has.
pub(crate) fn serves(from: Game, to: Game, (learned, rotated): (bool, bool)) -> Result<(), OtherSize> {
    if from == to {
        return Ok(());
    }
    if from.rules().kind() != to.rules().kind() {
        return Err(OtherSize::Kind { from, to });
    }
    if (from.vocab(), from.relations()) != (to.vocab(), to.relations()) {
        return Err(OtherSize::Tokens { from, to });
    }
    match (learned, rotated) {
        (true, _) => Err(OtherSize::Places { from, to, what: "an embedding of its own" }),
        (_, true) => Err(OtherSize::Places { from, to, what: "its number (RoPE)" }),
        (false, false) => Ok(()),
    }
}

impl ModelConfig {
    /// This model for another size of its task: its parameters are the same.
    ///
    /// # Errors
    /// [`OtherSize`], where they are not.
    pub fn for_task(&self, task: Game) -> Result<Self, OtherSize> {
        serves(self.task, task, (self.positions.learned(), self.positions.rope()))?;
        Ok(Self { task, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::model::{Params, Positions};
    use crate::task::find;

    fn refusal(from: &str, to: &str, positions: Positions) -> String {
        let model = ModelConfig { task: find(from).unwrap(), positions, ..ModelConfig::example() };
        model.for_task(find(to).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn a_model_of_relations_has_the_same_parameters_at_every_size() {
        let small = ModelConfig {
            task: find("maze4x4").unwrap(),
            positions: Positions::Relation,
            ..ModelConfig::example()
        };
        let large = small.for_task(find("maze5x7").unwrap()).unwrap();
        let params = Params::init(&small, 1, &Device::Cpu).unwrap();
        let tensors = params.tensors().into_iter().collect();
        Params::from_tensors(&large, &tensors, &Device::Cpu).unwrap();
    }

    #[test]
    fn what_no_weight_can_serve_is_refused_with_its_reason() {
        let relation = Positions::Relation;
        assert!(refusal("maze4x4", "sudoku4", relation).contains("another kind of task"));
        let tokens = refusal("sudoku4", "sudoku9", relation);
        assert!(tokens.contains("6 tokens") && tokens.contains("11 and"), "{tokens}");
        assert!(
            refusal("maze4x4", "maze5x5", Positions::LearnedRelation).contains("an embedding of its own")
        );
        assert!(refusal("maze4x4", "maze5x5", Positions::Rope).contains("RoPE"));
        let own = ModelConfig { positions: Positions::Learned, ..ModelConfig::example() };
        assert_eq!(own.for_task(own.task).as_ref(), Ok(&own), "nothing changes");
    }
}
