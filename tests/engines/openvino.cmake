# OpenVINO: tensors as views, SAM's ONNX interface, and the programs on it.
if(NOT OSTEND_HAS_OPENVINO)
    message(STATUS "tests/engines: OpenVINO is not tested")
    return()
endif()
find_package(OpenVINO REQUIRED COMPONENTS Runtime)
add_executable(test_engines_openvino openvino_test.cpp openvino_attention_test.cpp openvino_sam_test.cpp)
target_link_libraries(test_engines_openvino PRIVATE ostend_engine_test_main ostend_io openvino::runtime)
add_test(NAME engines.openvino COMMAND test_engines_openvino)
add_test(NAME engines.openvino_sam COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/openvino_sam_test.py
         ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(engines.openvino engines.openvino_sam PROPERTIES LABELS engines)
