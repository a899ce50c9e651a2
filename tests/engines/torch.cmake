# LibTorch: tensors as views, attention out of q and k, a TorchScript segmenter, and the program.
if(NOT TARGET libtorch)
    message(STATUS "tests/engines: LibTorch is not tested")
    return()
endif()
add_executable(test_engines_torch torch_test.cpp torch_attention_test.cpp torch_script_segmenter_test.cpp)
target_link_libraries(test_engines_torch PRIVATE ostend_engine_test_main libtorch)
# Optimised, torch's headers cost minutes to compile.
target_compile_options(test_engines_torch PRIVATE -O1)
add_test(NAME engines.torch COMMAND test_engines_torch)
add_test(NAME engines.torch_attention COMMAND torch_attention)
set_tests_properties(engines.torch engines.torch_attention PROPERTIES LABELS engines)
