//! Checkpoints of the original: in, compared with golden answers, and out again.
//!
//! The golden answers are those of `tools/original/forward.py invent`, an independent forward pass, on models
//! whose weights follow from their tensors' names: `invented` makes the same ones.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use hrm_host::original::Tensors;
use tempfile::TempDir;

use crate::common::{hrm, ok, words};
use crate::torch::{Stored, archive, contiguous, state_dict};

/// Values that follow from a name: splitmix64 started at the name's FNV-1a, 24 bits each.
fn invented(name: &str, shape: &[usize]) -> Stored {
    let mut state = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let scale = if let [_, .., last] = shape { (3.0 / *last as f64).sqrt() } else { 1.0 };
    let mut value = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (((z ^ z >> 31) >> 40) as f64 / f64::from(1 << 23) - 1.0) * scale
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| value() as f32).collect();
    Stored::f32(name, shape, &values)
}

/// All tensors of one of the two invented models.
fn invented_model(which: &str) -> Vec<Stored> {
    let (width, h_layers, l_layers) = if which == "learned" { (32, 1, 2) } else { (40, 2, 1) };
    let mut tensors = vec![
        invented("embed_tokens.embedding_weight", &[6, width]),
        invented("lm_head.weight", &[6, width]),
        invented("q_head.weight", &[2, width]),
        invented("q_head.bias", &[2]),
        invented("H_init", &[width]),
        invented("L_init", &[width]),
    ];
    if which == "learned" {
        tensors.push(invented("puzzle_emb.weights", &[1, 24]));
        tensors.push(invented("embed_pos.embedding_weight", &[17, width]));
    }
    for (level, layers) in [("H_level", h_layers), ("L_level", l_layers)] {
        for layer in 0..layers {
            let name = |part: &str| format!("{level}.layers.{layer}.{part}.weight");
            tensors.push(invented(&name("self_attn.qkv_proj"), &[3 * width, width]));
            tensors.push(invented(&name("self_attn.o_proj"), &[width, width]));
            tensors.push(invented(&name("mlp.gate_up_proj"), &[512, width]));
            tensors.push(invented(&name("mlp.down_proj"), &[width, 256]));
        }
    }
    tensors
}

/// Puts `before` in front of every name.
fn wrapped(before: &str, mut tensors: Vec<Stored>) -> Vec<Stored> {
    tensors.iter_mut().for_each(|tensor| tensor.name = format!("{before}{}", tensor.name));
    tensors
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/original").join(name)
}

/// A folder with the configuration of one of the invented models and a checkpoint `step_7`, spaces in
/// its name as the paper's.
fn with_checkpoint(which: &str, bytes: &[u8]) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("Sudoku ACT v1");
    fs::create_dir(&folder).unwrap();
    fs::copy(data(&format!("{which}.yaml")), folder.join("all_config.yaml")).unwrap();
    fs::write(folder.join("step_7"), bytes).unwrap();
    (dir, "Sudoku ACT v1".to_owned())
}

/// What the program says when it is to import `bytes`.
fn refusal(bytes: &[u8]) -> String {
    let (dir, folder) = with_checkpoint("learned", bytes);
    let (code, out, said) = hrm(dir.path(), &["import", &folder, "--out", "run"]);
    assert_eq!((code, out.as_str()), (1, ""), "{said}");
    assert!(!dir.path().join("run").exists(), "{said}");
    assert!(said.starts_with("error: cannot import Sudoku ACT v1/step_7: "), "{said}");
    said
}

#[test]
fn imported_models_answer_as_the_equations_do() {
    for (which, before) in [("learned", "_orig_mod.model.inner."), ("bare", "model.inner.")] {
        let (dir, folder) = with_checkpoint(which, &state_dict(&wrapped(before, invented_model(which))));
        let (out, said) = ok(dir.path(), &["import", &folder, "--out", "run"]);
        assert!(
            out.contains("sudoku4, width ") && out.contains("wrote run/step-00000007.safetensors"),
            "{out}"
        );
        assert_eq!(said.contains("no pack can be made of this model"), which == "bare", "{said}");
        let golden = data(&format!("{which}.safetensors"));
        let verify = ["verify", "run", "--golden", golden.to_str().unwrap()];
        let (code, out, said) = hrm(dir.path(), &[&verify[..], &["--within", "1e-3,1e-1"]].concat());
        assert!(code == 0 && out.contains("greatest difference: "), "{out}{said}");
        let (code, out, _) = hrm(dir.path(), &[&verify[..], &["--within", "1e-9"]].concat());
        assert!(code == 1 && out.contains("NOT the original's answers"), "{out}");
    }
}

#[test]
fn what_no_pack_can_be_made_of_is_refused_by_name_when_it_is_exported() {
    let (dir, folder) = with_checkpoint("bare", &state_dict(&invented_model("bare")));
    ok(dir.path(), &["import", &folder, "--out", "run"]);
    let (code, _, said) = hrm(dir.path(), &["export", "run", "--out", "x.hrm"]);
    assert!(code == 1 && said.contains("model.width = 40: must be a multiple of 16"), "{said}");
}

#[test]
fn an_imported_run_is_measured_exported_verified_and_trained_from_but_not_resumed() {
    let (dir, folder) = with_checkpoint("learned", &state_dict(&invented_model("learned")));
    let says = |args: &[&str]| {
        let (out, said) = ok(dir.path(), args);
        format!("{out}{said}")
    };
    says(&["import", &folder, "--out", "run"]);
    says(&["data", "generate", "--task", "sudoku4", "--count", "20", "--out", "p.csv"]);
    assert!(says(&["eval", "run", "--data", "p.csv", "--rows", "4"]).contains("weights as trained"));
    says(&["export", "run", "--out", "x.hrm", "--rows", "0", "--calibration", "4"]);
    let verify =
        ["verify", "x.hrm", "--checkpoint", "run", "--data", "p.csv", "--rows", "4", "--segments", "1"];
    let (_, out, said) = hrm(dir.path(), &verify);
    assert!(out.contains("weights") && said.is_empty(), "{out}{said}");
    let set = words("--set train.batch=4 --set train.steps=1 --set data.generate=20 --set data.validation=4");
    says(&[&["train", "--from", "run", "--out", "next", "--set", "train.eval_rows=4"], &set[..]].concat());
    let (code, _, said) = hrm(dir.path(), &["train", "--resume", "--out", "run"]);
    assert!(code == 1 && said.contains("start a run from them with `hrm-host train --from`"), "{said}");
}

#[test]
fn what_is_exported_again_has_the_originals_tensors_and_is_imported_again() {
    let (dir, folder) = with_checkpoint(
        "learned",
        &state_dict(&wrapped("_orig_mod.model.inner.", invented_model("learned"))),
    );
    let step = |args: &[&str]| {
        ok(dir.path(), args);
    };
    step(&["import", &folder, "--out", "run"]);
    step(&["export", "run", "--to", "pytorch", "--out", "back"]);
    step(&["export", "run", "--to", "pytorch", "--out", "back"]); // its own earlier output
    step(&["import", "back", "--out", "again"]);
    let golden = data("learned.safetensors");
    step(&["verify", "again", "--golden", golden.to_str().unwrap(), "--within", "1e-3,1e-1"]);

    let written =
        candle_core::safetensors::load(dir.path().join("back/step_7.safetensors"), &Device::Cpu).unwrap();
    let tensors = invented_model("learned");
    assert_eq!(written.len(), tensors.len());
    for Stored { name, shape, bytes, .. } in &tensors {
        let tensor = &written[&format!("model.inner.{name}")];
        let wanted = Tensor::from_raw_buffer(bytes, DType::F32, shape, &Device::Cpu).unwrap();
        // A narrow puzzle embedding comes back as wide as the model, which is what the original makes of it.
        let wanted =
            if name == "puzzle_emb.weights" { wanted.pad_with_zeros(1, 0, 8).unwrap() } else { wanted };
        let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(tensor.dims(), wanted.dims(), "{name}");
        assert_eq!(values(tensor), values(&wanted), "{name}");
    }
    let settings = fs::read_to_string(dir.path().join("back/all_config.yaml")).unwrap();
    for line in [
        "  L_cycles: 3",
        "  expansion: 12.0",
        "  puzzle_emb_ndim: 32",
        "lr: 0.0001",
        "  pos_encodings: learned",
    ] {
        assert!(settings.lines().any(|own| own == line), "{line} in {settings}");
    }

    fs::write(dir.path().join("back/all_config.yaml"), "mine").unwrap();
    let (code, _, said) = hrm(dir.path(), &["export", "run", "--to", "pytorch", "--out", "back"]);
    assert!(code == 1 && said.contains("--force"), "{said}");
    let (code, _, said) =
        hrm(dir.path(), &["export", "run", "--to", "pytorch", "--lanes", "8", "--out", "back"]);
    assert!(code == 2 && said.contains("--lanes"), "{said}");
}

#[test]
fn a_model_that_the_original_does_not_have_is_not_written_as_one() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tiny.toml"), crate::common::CONFIG).unwrap();
    ok(dir.path(), &["train", "--config", "tiny.toml", "--out", "run"]);
    let (code, _, said) = hrm(dir.path(), &["export", "run", "--to", "pytorch", "--out", "x"]);
    assert!(
        code == 1 && said.contains("the original has no such model: it has no relation-biased attention"),
        "{said}"
    );
    assert!(!dir.path().join("x").exists());
}

#[test]
fn tensors_in_any_order_and_of_any_float_type_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let values = [1.0f32, -2.0, 0.5, 3.0, 4.0, -0.25];
    let turned =
        Stored { shape: vec![3, 2], strides: vec![1, 3], ..Stored::f32("model.turned", &[6], &values) };
    let every_other = Stored { shape: vec![3], strides: vec![2], ..Stored::f32("strided", &[6], &values) };
    let short = values.iter().flat_map(|value| (value.to_bits() >> 16).to_le_bytes()[..2].to_vec()).collect();
    let bf16 = Stored { class: "BFloat16Storage", bytes: short, ..Stored::f32("inner.bf16", &[6], &[]) };
    let long = values.iter().flat_map(|value| f64::from(*value).to_le_bytes()).collect();
    let f64s = Stored { class: "DoubleStorage", bytes: long, ..Stored::f32("f64", &[6], &[]) };
    let path = dir.path().join("x");
    fs::write(&path, state_dict(&[turned, every_other, bf16, f64s])).unwrap();
    let tensors = Tensors::read(&path).unwrap();
    let read = |name: &str| tensors.get(name).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert_eq!(read("turned"), [1.0, 3.0, -2.0, 4.0, 0.5, -0.25]);
    assert_eq!(read("strided"), [1.0, 0.5, 4.0]);
    assert_eq!((read("bf16"), read("f64")), (values.to_vec(), values.to_vec()));
    assert_eq!(contiguous(&[2, 3]), [3, 1]);
}

#[test]
fn every_tensor_that_is_wrong_is_named() {
    let mut tensors = invented_model("learned");
    let spoil = |tensors: &mut Vec<Stored>, name: &str| {
        tensors.iter().position(|tensor| tensor.name == name).unwrap()
    };
    let at = spoil(&mut tensors, "lm_head.weight");
    tensors.remove(at);
    let at = spoil(&mut tensors, "q_head.bias");
    tensors[at] = invented("q_head.bias", &[3]);
    tensors.push(invented("H_level.layers.0.self_attn.k_norm.weight", &[32]));
    let said = refusal(&state_dict(&tensors));
    for part in [
        "lm_head.weight is missing",
        "q_head.bias has shape [3], not [2]",
        "k_norm.weight is no tensor of such a model",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }

    let mut tensors = invented_model("learned");
    let at = spoil(&mut tensors, "L_level.layers.1.mlp.down_proj.weight");
    tensors[at].bytes.fill(0);
    assert!(refusal(&state_dict(&tensors)).contains("level_l.1.down is 0 throughout"));
    tensors[at].bytes.fill(0xff);
    assert!(refusal(&state_dict(&tensors)).contains("not finite"));
    tensors[at].class = "LongStorage";
    assert!(refusal(&state_dict(&tensors)).contains("down_proj.weight is of type Long"));
    let mut tensors = invented_model("learned");
    tensors.push(invented("model.inner.H_init", &[32]));
    assert!(refusal(&state_dict(&tensors)).contains("two tensors H_init"));
}

#[test]
fn what_is_no_state_dict_is_named_and_nothing_of_it_is_run() {
    let tensor = "ctorch._utils\n_rebuild_tensor_v2\n)R";
    let cases: [(&[u8], &str); 7] = [
        (b"\x80\x02cmodels.hrm\nHRM\n)\x81}b.", "a whole object of class models.hrm.HRM"),
        (b"\x80\x02].", "it is a list, not a state dict"),
        (&[b"\x80\x02", tensor.as_bytes(), b"."].concat(), "a single tensor"),
        (b"\x80\x02cposix\nsystem\nX\x0c\0\0\0touch pwned \x85R.", "would have Python call posix.system"),
        (b"\x80\x02cbuiltins\neval\nX\x01\0\0\x001\x85R0}.", "would have Python call builtins.eval"),
        (b"\x80\x02}(X\x05\0\0\0model}X\x04\0\0\0stepK\x05u.", "torch.load(FILE)[\"model\"]"),
        (b"\x80\x02}X\x01\0\0\0aK\x05s.", "its entry a is no tensor"),
    ];
    for (pickle, expected) in cases {
        let said = refusal(&archive(pickle, []));
        assert!(said.contains(expected), "{expected} in {said}");
    }
}

#[test]
fn files_of_other_kinds_and_other_models_are_named() {
    let old = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";
    assert!(refusal(old).contains("PyTorch's format of before 2020"));
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n";
    assert!(refusal(pointer).contains("git lfs pull"));
    assert!(refusal(b"\x80\x04}.").contains("bare pickle"));
    assert!(refusal(b"").contains("it is empty"));

    let whole = state_dict(&invented_model("learned"));
    for cut in [whole.len() - 1, whole.len() / 2, 2000] {
        assert!(refusal(&whole[..cut]).contains("it is damaged"), "cut at {cut}");
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    assert!(refusal(&flipped).contains("broken"));

    let one_level =
        invented_model("learned").into_iter().filter(|tensor| !tensor.name.starts_with("H_level"));
    assert!(refusal(&state_dict(&one_level.collect::<Vec<_>>())).contains("as a TRM"));
    let language = [
        invented("model.embed_tokens.weight", &[10, 4]),
        invented("model.layers.0.mlp.up_proj.weight", &[4, 4]),
    ];
    assert!(refusal(&state_dict(&language)).contains("of another model"));
    let mut other = invented_model("learned");
    other[0] = invented("embed_tokens.embedding_weight", &[12, 32]);
    assert!(refusal(&state_dict(&other)).contains("a vocabulary of 12 and 16 cells, and no task fits"));
    other[0] = invented("embed_tokens.embedding_weight", &[6, 32]);
    let at = other.iter().position(|tensor| tensor.name == "puzzle_emb.weights").unwrap();
    other[at] = invented("puzzle_emb.weights", &[400, 24]);
    assert!(refusal(&state_dict(&other)).contains("embeddings of 400 puzzles"));
}

#[test]
fn settings_that_this_program_does_not_compute_with_are_named() {
    let change = |from: &str, to: &str| {
        let (dir, folder) = with_checkpoint("learned", &state_dict(&invented_model("learned")));
        let path = dir.path().join(&folder).join("all_config.yaml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        hrm(dir.path(), &["import", &folder, "--out", "run"])
    };
    for (from, to, expected) in [
        ("H_layers: 1", "H_layers: 3", "arch.H_layers = 3: the tensors are of a model with 1"),
        ("expansion: 4.0", "expansion: 16", "arch.expansion = 16"),
        ("learned", "alibi", "arch.pos_encodings = alibi: there are rope and learned"),
        ("puzzle_emb_ndim: 24", "puzzle_emb_ndim: 64", "arch.puzzle_emb_ndim = 64"),
        ("  expansion", "  rms_norm_eps: 1.0e-06\n  expansion", "arch.rms_norm_eps = 0.000001"),
        (
            "hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1",
            "trm@TinyRecursiveReasoningModel_ACTV1",
            "another model, trm@Tiny",
        ),
        ("data/sudoku4", "data/maze-30x30-hard-1k", "speaks of maze"),
        ("num_heads: 2", "num_heads: 5", "model.heads = 5"),
        ("arch:", "architecture:", "no section `arch`"),
        ("num_heads: 2", "num_heads: [", "the configuration cannot be used"),
    ] {
        let (code, _, said) = change(from, to);
        assert!(code == 1 && said.contains(expected), "{expected} in {said}");
    }
    let (code, _, said) = change("  expansion", "  mystery: 5\n  expansion");
    assert!(code == 0 && said.contains("passed over: arch.mystery"), "{said}");
    // A number that no configuration here can hold is not taken over.
    let (code, _, said) = change("seed: 3", "seed: 18446744073709551615");
    assert!(code == 0, "{said}");

    let (dir, folder) = with_checkpoint("learned", &state_dict(&invented_model("learned")));
    let (code, _, said) = hrm(dir.path(), &["import", &folder, "--task", "sudoku9", "--out", "run"]);
    assert!(code == 1 && said.contains("sudoku9 has a vocabulary of 11 and 81 cells"), "{said}");
    fs::remove_file(dir.path().join(&folder).join("all_config.yaml")).unwrap();
    let (code, _, said) = hrm(dir.path(), &["import", &folder, "--out", "run"]);
    assert!(code == 1 && said.contains("name it with --config"), "{said}");
}
