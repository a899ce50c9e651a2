# OpenCV: Mats as views, images and masks, and layers drawn onto them.
find_path(OSTEND_OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4)
find_library(OSTEND_OPENCV_CORE opencv_core)
if(NOT OSTEND_OPENCV_INCLUDE OR NOT OSTEND_OPENCV_CORE)
    message(STATUS "tests/engines: OpenCV is not tested: it is not there (tools/install_engines.sh opencv)")
    return()
endif()
add_executable(test_engines_opencv opencv_test.cpp)
target_include_directories(test_engines_opencv SYSTEM PRIVATE ${OSTEND_OPENCV_INCLUDE})
target_link_libraries(test_engines_opencv PRIVATE ostend_engine_test_main ${OSTEND_OPENCV_CORE})
add_test(NAME engines.opencv COMMAND test_engines_opencv)
add_test(NAME engines.opencv_overlay COMMAND /usr/bin/python3 ${CMAKE_CURRENT_SOURCE_DIR}/opencv_overlay_test.py
         ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
set_tests_properties(engines.opencv engines.opencv_overlay PROPERTIES LABELS engines)
