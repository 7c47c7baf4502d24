# cmake -DINPUT=file -DOUTPUT=file.cc -DNAME=kName -P embed_bytes.cmake
#
# Writes a file's bytes as `extern const std::string_view throughline::gateway::NAME`.
file(READ ${INPUT} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${hex}")
string(REGEX REPLACE "(('..x..',)('..x..',)('..x..',)('..x..',)('..x..',)('..x..',)('..x..',)('..x..',))" "\\1\n    " bytes "${bytes}")
file(WRITE ${OUTPUT}
  "#include <string_view>\n\nnamespace throughline::gateway {\nnamespace {\nconstexpr char kBytes[] = {\n    "
  "${bytes}};\n}  // namespace\n"
  "extern const std::string_view ${NAME};\n"
  "const std::string_view ${NAME}(kBytes, sizeof kBytes);\n}  // namespace throughline::gateway\n")
