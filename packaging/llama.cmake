# CMake reads this in llama.cpp's own project, right after llama-cpp-python has set what to build.

# The helpers of llama.cpp's programs take a third of the time, and nothing here uses them.
set(LLAMA_BUILD_COMMON OFF)

# The models of mtmd (images and audio) are forty small files with the same headers. Compile sixteen
# at a time, as llama.cpp does with its own models.
function(unite_models_of_mtmd)
    if(NOT TARGET mtmd)
        return()
    endif()
    set_target_properties(mtmd PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
    get_target_property(apart mtmd SOURCES)
    list(FILTER apart EXCLUDE REGEX "^models/")
    get_target_property(folder mtmd SOURCE_DIR)
    list(TRANSFORM apart PREPEND "${folder}/")
    set_source_files_properties(
        ${apart} TARGET_DIRECTORY mtmd PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()
cmake_language(DEFER DIRECTORY ${CMAKE_SOURCE_DIR} CALL unite_models_of_mtmd)
