// ggml and llama.cpp: tensors as views, caches as key sources, and a recorder that hangs on the evaluation
// callback of a graph, flash attention on or off. docs/hosts/llama_cpp.md shows the lines that a host adds.
#pragma once

#include "ostend/adapt/ggml_attention.hpp"
#include "ostend/adapt/ggml_copy.hpp"
#include "ostend/adapt/ggml_image_cells.hpp"
#include "ostend/adapt/ggml_keys.hpp"
#include "ostend/adapt/ggml_mask.hpp"
#include "ostend/adapt/ggml_recorder.hpp"
#include "ostend/adapt/ggml_tensor.hpp"
