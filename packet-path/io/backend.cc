// Chooses the backend: the only place that knows which ones there are.
#include "linux_backend.h"
#include "portable_backend.h"

namespace sluice::io {

std::variant<std::unique_ptr<Socket>, SocketError> openSocket([[maybe_unused]] Backend backend,
                                                              const SocketOptions& options, LocalEnds& ends) {
  auto opened = openBoundSocket(options);
  if (auto* error = std::get_if<SocketError>(&opened)) return *error;
  BoundSocket bound = std::move(std::get<BoundSocket>(opened));
#ifdef __linux__
  if (backend == Backend::kLinux) return makeLinuxSocket(std::move(bound), ends);
#endif
  return makePortableSocket(std::move(bound), ends);
}

std::unique_ptr<Waiter> makeWaiter([[maybe_unused]] Backend backend) {
#ifdef __linux__
  if (backend == Backend::kLinux) return makeLinuxWaiter();
#endif
  return makePortableWaiter();
}

}  // namespace sluice::io
