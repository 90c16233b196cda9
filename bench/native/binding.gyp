# The bench's own addon: of the packet path's sources, those that the bare limit takes. Compiled as packet-path/binding.gyp is.
{
  'targets': [
    {
      'target_name': 'bench',
      'sources': [
        'addon.cc', 'bare_limit.cc', 'sinks.cc',
        '../../packet-path/binding/reader.cc',
        '../../packet-path/core/crypto/aes.cc',
        '../../packet-path/swarm/poller.cc',
        '<!@(node -p "require(\'node:fs\').globSync(\'io/*.cc\', { cwd: \'../../packet-path\' }).filter((file) => !/engine|shard_thread/.test(file)).map((file) => \'../../packet-path/\' + file).sort().join(\' \')")',
      ],
      'include_dirs': ['../../packet-path', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      'cflags': ['-fvisibility=hidden'],
      'cflags_cc!': ['-fexceptions', '-std=gnu++17', '-std=gnu++20'],
      'cflags_cc': ['-std=c++20', '-fno-exceptions', '-fno-rtti', '-Wall', '-Wextra', '-Wno-unused-parameter'],
    },
  ],
}
