# OpenVINO: tensors as views, SAM's ONNX interface, and the programs on it.
if(NOT OSTEND_HAS_OPENVINO)
    message(STATUS "tests/engines: OpenVINO is not tested")
    return()
endif()
find_package(OpenVINO REQUIRED COMPONENTS Runtime)
add_executable(test_engines_openvino openvino_test.cpp openvino_attention_test.cpp openvino_sam_test.cpp)
target_link_libraries(test_engines_openvino PRIVATE ostend_engine_test_main ostend_io openvino::runtime)
add_executable(test_engines_openvino_llava openvino_llava_test.cpp)
target_link_libraries(test_engines_openvino_llava PRIVATE ostend_engine_test_main openvino_llava ostend_tools)
add_executable(test_engines_openvino_tiny_sam openvino_tiny_sam_test.cpp)
target_link_libraries(test_engines_openvino_tiny_sam PRIVATE
    ostend_engine_test_main ostend_tools tiny_sam openvino::runtime)
add_test(NAME engines.openvino COMMAND test_engines_openvino)
add_test(NAME engines.openvino_tiny_sam COMMAND test_engines_openvino_tiny_sam)
add_test(NAME engines.openvino_llava COMMAND test_engines_openvino_llava)
add_test(NAME engines.openvino_sam COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/openvino_sam_test.py
         ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
add_test(NAME engines.openvino_llava.program COMMAND /usr/bin/python3
         ${CMAKE_CURRENT_SOURCE_DIR}/openvino_llava_test.py ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(engines.openvino engines.openvino_llava engines.openvino_llava.program engines.openvino_sam
    PROPERTIES LABELS engines)
