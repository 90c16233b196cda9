// A main for fuzz targets where there is no libFuzzer (g++): runs every seed, then mutations of them for a given time.
// Without coverage feedback it finds less a second than libFuzzer does, but it runs wherever the tests run. Everything
// follows from the printed seed, so `--seed=` and `--runs=` repeat a run exactly.
//
//   fuzz-stun [--seconds=N] [--runs=N] [--seed=N] [seed file or folder]…
//
// The input that broke a target is written to ./crash-<target>; given as the only argument it runs alone.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
// The sanitizers' runtime calls this before it ends the process; absent without a sanitizer.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Input = std::vector<uint8_t>;

constexpr size_t kMaxInputBytes = 4'096;

// For the death callback, which takes no argument.
const Input* current = nullptr;
std::string crashFile = "crash";

void saveCurrent() {
  if (current == nullptr) return;
  if (std::FILE* f = std::fopen(crashFile.c_str(), "wb"); f != nullptr) {
    std::fwrite(current->data(), 1, current->size(), f);
    std::fclose(f);
    std::fprintf(stderr, "input of %zu bytes written to %s\n", current->size(), crashFile.c_str());
  }
  current = nullptr;
}

void run(const Input& input) {
  current = &input;
  // A copy of exactly its size, so that the sanitizer sees a read past the end.
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  current = nullptr;
}

std::vector<Input> readSeeds(const std::vector<std::string>& paths) {
  std::vector<std::filesystem::path> files;
  for (const std::string& path : paths) {
    if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::directory_iterator(path)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    } else if (std::filesystem::exists(path)) {
      files.emplace_back(path);
    }
  }
  std::sort(files.begin(), files.end());  // folders list in no order; a run must be repeatable
  std::vector<Input> seeds;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return seeds;
}

/// The mutations that find most in binary protocols: bits, edge values, lengths, cuts, repeats, splices.
class Mutator {
 public:
  explicit Mutator(uint64_t seed) : rng_(seed) {}

  Input next(const std::vector<Input>& corpus) {
    Input input = corpus.empty() || below(16) == 0 ? noise() : corpus[below(corpus.size())];
    for (size_t steps = 1 + below(6); steps > 0; --steps) step(input, corpus);
    if (input.size() > kMaxInputBytes) input.resize(kMaxInputBytes);
    return input;
  }

 private:
  size_t below(size_t n) { return static_cast<size_t>(rng_() % n); }
  uint8_t byte() { return static_cast<uint8_t>(rng_()); }

  Input noise() {
    Input input(below(200));
    for (uint8_t& b : input) b = byte();
    return input;
  }

  void step(Input& input, const std::vector<Input>& corpus) {
    static constexpr uint32_t kEdges[] = {
        0, 1, 2, 3, 4, 7, 8, 15, 16, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF'FFFF, 0x8000'0000, 0xFFFF'FFFF};
    const auto at = [&](size_t n) { return input.begin() + static_cast<std::ptrdiff_t>(n); };
    const size_t where = input.empty() ? 0 : below(input.size());
    switch (below(input.empty() ? 1 : 8)) {
      case 0:
        input.insert(at(where), 1 + below(8), byte());
        break;
      case 1:
        input[where] ^= static_cast<uint8_t>(1U << below(8));
        break;
      case 2:
        input[where] = byte();
        break;
      case 3: {  // an edge value, one, two or four bytes wide, big endian
        const uint32_t value = kEdges[below(std::size(kEdges))];
        const size_t width = size_t{1} << below(3);
        for (size_t i = 0; i < width && where + i < input.size(); ++i) {
          input[where + i] = static_cast<uint8_t>(value >> (8 * (width - 1 - i)));
        }
        break;
      }
      case 4:
        input.resize(where);
        break;
      case 5:
        input.erase(at(where), at(where + 1 + below(input.size() - where)));
        break;
      case 6: {  // a piece of itself once more
        const Input piece(at(where), at(where + 1 + below(std::min<size_t>(input.size() - where, 64))));
        input.insert(at(below(input.size())), piece.begin(), piece.end());
        break;
      }
      default: {  // goes on as another seed does
        if (corpus.empty()) break;
        const Input& other = corpus[below(corpus.size())];
        if (other.empty()) break;
        input.resize(where);
        input.insert(input.end(), other.begin() + static_cast<std::ptrdiff_t>(below(other.size())), other.end());
        break;
      }
    }
  }

  std::mt19937_64 rng_;
};

std::optional<uint64_t> numberAfter(std::string_view argument, std::string_view name) {
  if (!argument.starts_with(name)) return std::nullopt;
  return std::strtoull(argument.data() + name.size(), nullptr, 10);
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seconds = 0;
  uint64_t runs = UINT64_MAX;
  uint64_t seed = std::random_device{}();
  std::vector<std::string> paths;
  for (int i = 1; i < argc; ++i) {
    if (const auto n = numberAfter(argv[i], "--seconds=")) {
      seconds = *n;
    } else if (const auto r = numberAfter(argv[i], "--runs=")) {
      runs = *r;
    } else if (const auto s = numberAfter(argv[i], "--seed=")) {
      seed = *s;
    } else {
      paths.emplace_back(argv[i]);
    }
  }
  crashFile = "crash-" + std::filesystem::path(argv[0]).filename().string();
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(saveCurrent);
  std::signal(SIGABRT, [](int) { saveCurrent(); });

  const std::vector<Input> corpus = readSeeds(paths);
  std::printf("  %zu seeds, --seed=%llu\n", corpus.size(), static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  for (const Input& input : corpus) run(input);

  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  Mutator mutator(seed);
  uint64_t executions = 0;
  while (executions < runs && std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 16 && executions < runs; ++i, ++executions) run(mutator.next(corpus));
  }
  std::printf("  %llu executions\n", static_cast<unsigned long long>(executions));
  return 0;
}
