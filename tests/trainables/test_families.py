"""Every family of timm's models trains: what a preflight lets pass does not fail in every trial."""

import pytest
import timm
import torch

from tests.toys.training import TINY
from trainables.config import TrainConfig
from trainables.preflight.__main__ import check_model
from trainables.training.devices import Resources
from trainables.training.heads.head import Targets, make_head
from trainables.training.heads.task import Task
from trainables.training.models import make_model, own_size
from trainables.training.optimization.freezing import Freezing, check_layers
from trainables.training.optimization.optimizers import make_optimizer

# The smallest model of every module of timm, by its parameters.
SMALLEST = (
    "beit_base_patch16_224",
    "halonet_h1",
    "test_byobnet",
    "cait_xxs24_224",
    "coat_tiny",
    "convit_tiny",
    "convmixer_768_32",
    "test_convnext",
    "cpubone_nano",
    "crossvit_tiny_240",
    "csatv2",
    "cs3darknet_focus_s",
    "cspnext_tiny",
    "davit_tiny",
    "deepseek_vit_412m",
    "deit_tiny_patch16_224",
    "densenet121",
    "dla46x_c",
    "dpn48b",
    "edgenext_xx_small",
    "efficientformer_l1",
    "efficientformerv2_s0",
    "test_efficientnet",
    "efficientvim_m1",
    "efficientvit_b0",
    "efficientvit_m0",
    "vit_tiny_patch16_dinov3_qkvb",
    "fasternet_t0",
    "fastvit_t8",
    "focalnet_tiny_srf",
    "gcvit_xxtiny",
    "gemma4_vit_167m",
    "ghostnet_050",
    "hardcorenas_b",
    "hgnetv2_b0",
    "hiera_tiny_224",
    "sam2_hiera_tiny",
    "hrnet_w18_small",
    "iformer_t",
    "inception_next_atto",
    "inception_resnet_v2",
    "inception_v3",
    "inception_v4",
    "lcnetv2_small",
    "levit_128s",
    "lowformer_b0",
    "test_mambaout",
    "test_coatnet",
    "poolformerv2_s12",
    "gmlp_ti16_224",
    "mobilenetv3_small_050",
    "mobilenetv5_base",
    "mobilevit_xxs",
    "mvitv2_tiny",
    "naflexvit_base_patch16_parfac_gap",
    "nasnetalarge",
    "nest_tiny",
    "nextvit_small",
    "test_nfnet",
    "pit_ti_224",
    "pnasnet5large",
    "pvt_v2_b0",
    "qwen3_vit_88m",
    "rdnet_tiny",
    "regnetx_002",
    "repghostnet_050",
    "repvit_m1",
    "res2next50",
    "resnest14d",
    "test_resnet",
    "resnetv2_18",
    "rexnet_100",
    "selecsls42",
    "legacy_seresnet18",
    "sequencer2d_s",
    "shvit_s1",
    "skresnet18",
    "starnet_s050",
    "swiftformer_xs",
    "swin_tiny_patch4_window7_224",
    "swinv2_tiny_window8_256",
    "swinv2_cr_tiny_224",
    "tiny_vit_5m_224",
    "tnt_s_legacy_patch16_224",
    "tresnet_m",
    "twins_svt_small",
    "vgg11",
    "visformer_tiny",
    "test_vit",
    "vit_tiny_r_s16_p8_224",
    "test_vit_relpos",
    "samvit_base_patch16_224",
    "vitamin_small_224",
    "volo_d1_224",
    "ese_vovnet19b_slim_dw",
    "legacy_xception",
    "xception41p",
    "xcit_nano_12_p8_224",
)
TRAINED = (  # of them, those that compute least
    "test_convnext",
    "test_efficientnet",
    "test_vit",
    "test_nfnet",
    "test_mambaout",
    "test_byobnet",
    "test_resnet",
    "test_coatnet",
    "test_vit_relpos",
    "starnet_s050",
    "dla46x_c",
    "mobilenetv3_small_050",
    "mobilevit_xxs",
    "edgenext_xx_small",
    "ese_vovnet19b_slim_dw",
    "repghostnet_050",
    "efficientvit_m0",
    "ghostnet_050",
    "regnetx_002",
    "cspnext_tiny",
    "iformer_t",
    "xcit_nano_12_p8_224",
    "efficientvit_b0",
    "swiftformer_xs",
    "efficientformerv2_s0",
    "pvt_v2_b0",
    "fasternet_t0",
    "lcnetv2_small",
    "inception_next_atto",
    "cs3darknet_focus_s",
)


def config(backbone: str) -> TrainConfig:
    whole = {**TINY, "backbone": backbone, "weights": "none", "batch_size": 2, "image_size": own_size(backbone) or 224}
    return TrainConfig(**whole)


def test_every_family_is_tried() -> None:
    tried = {timm.model_entrypoint(name).__module__.rpartition(".")[2] for name in SMALLEST}
    assert tried == set(timm.list_modules()), "of a new version of timm, the new families"


@pytest.mark.slow
@pytest.mark.parametrize("backbone", SMALLEST)
def test_a_model_of_every_family_is_made_and_answers_without_memory_for_its_weights(backbone: str) -> None:
    made = config(backbone)
    with torch.device("meta"):
        model, head = make_model(made, 3).train(), make_head(Task(3), made)
        check_layers(model, made)
        Freezing(model, made).apply(0)
        make_optimizer(model, made)
        outputs = model(torch.rand(2, 3, made.image_size, made.image_size))
        assert head.loss(outputs, Targets(torch.rand(2, 3))).shape == (2,)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", TRAINED)
def test_the_smallest_train_and_predict(backbone: str) -> None:
    check_model(config(backbone), 3, Resources(), None)
