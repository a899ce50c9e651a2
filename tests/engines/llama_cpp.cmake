# llama.cpp: adapters on ggml graphs, then the program on our small models written as GGUF.
if(NOT TARGET llama_cpp_host)
    message(STATUS "tests/engines: llama.cpp is not tested")
    return()
endif()
set(gguf ${PROJECT_BINARY_DIR}/gguf)
add_executable(test_engines_ggml ggml_test.cpp ggml_device_test.cpp)
target_link_libraries(test_engines_ggml PRIVATE ostend_engine_test_main llama_cpp ggml-rpc)
add_test(NAME engines.ggml COMMAND test_engines_ggml)

add_executable(test_engines_llama llama_test.cpp)
target_link_libraries(test_engines_llama PRIVATE ostend_engine_test_main llama_cpp_host ostend_tools ggml-rpc)
target_compile_definitions(test_engines_llama PRIVATE OSTEND_GGUF="${gguf}")
add_test(NAME engines.llama COMMAND test_engines_llama)
# The same with the libmtmd whose class token stands where LLaVA has it.
add_test(NAME engines.llama.mended COMMAND test_engines_llama)
set_tests_properties(engines.llama.mended PROPERTIES
    ENVIRONMENT "LD_LIBRARY_PATH=${OSTEND_LLAMA_CPP_DIR}/lib-mended;OSTEND_MENDED=1")
add_test(NAME engines.llama.program COMMAND /usr/bin/python3
         ${CMAKE_CURRENT_SOURCE_DIR}/llama_program_test.py ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(engines.llama.program PROPERTIES ENVIRONMENT "OSTEND_GGUF=${gguf}")

# That recording changes no word, and both ways of it see the same, at 7B's shapes; what it takes is not looked at.
add_test(NAME engines.llama.cost COMMAND llama_cpp_cost --weights q4_0 --image-tokens 100 --threads 1,2 --layers 2
         --tokens 6 --rounds 1)
set_tests_properties(engines.llama.cost PROPERTIES LABELS engines)

set(write_gguf ${OSTEND_LLAMA_CPP_DIR}/venv/bin/python ${PROJECT_SOURCE_DIR}/tools/engines/write_gguf.py)
foreach(model IN ITEMS tiny-llava tiny-llava-clip)
    add_test(NAME engines.write_gguf.${model}
             COMMAND ${write_gguf} ${PROJECT_SOURCE_DIR}/models/${model} ${gguf}/${model})
    set_tests_properties(engines.write_gguf.${model} PROPERTIES FIXTURES_SETUP gguf)
endforeach()
set_tests_properties(engines.llama engines.llama.mended engines.llama.program PROPERTIES
    FIXTURES_REQUIRED gguf TIMEOUT 1200)
set_tests_properties(engines.ggml engines.llama engines.llama.mended engines.llama.program
    engines.write_gguf.tiny-llava engines.write_gguf.tiny-llava-clip PROPERTIES LABELS engines)
