# The addon: core, io, peer, swarm and binding in one file without any library but what the node binary itself exports
# (OpenSSL, uv). C++ tests, sanitizers and fuzz targets are built by the Makefile.
{
  'targets': [
    {
      'target_name': 'packet_path',
      'sources': [
        '<!@(node -p "require(\'node:fs\').globSync([\'core/*.cc\', \'core/*/*.cc\', \'io/*.cc\', \'peer/*.cc\', \'swarm/*.cc\', \'binding/*.cc\']).sort().join(\' \')")',
      ],
      'include_dirs': ['.', '<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': ['NAPI_VERSION=8', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'],
      'cflags!': ['-O2', '-g'],
      'cflags_cc!': ['-fexceptions', '-std=gnu++17', '-std=gnu++20'],
      'cflags': ['-fvisibility=hidden'],
      'conditions': [
        ['OS=="linux" or OS=="freebsd"', {
          'cflags_cc': [
            '-std=c++20', '-fno-exceptions', '-fno-rtti', '-fvisibility-inlines-hidden',
            '-Wall', '-Wextra', '-Wno-unused-parameter',
          ],
          # Nothing of ours is seen by others, and nothing unused stays.
          'ldflags': ['-Wl,--gc-sections', '-Wl,--exclude-libs,ALL'],
        }],
        ['OS=="mac"', {
          'xcode_settings': {
            'CLANG_CXX_LANGUAGE_STANDARD': 'c++20',
            'CLANG_CXX_LIBRARY': 'libc++',
            'MACOSX_DEPLOYMENT_TARGET': '13.0',
            'GCC_ENABLE_CPP_EXCEPTIONS': 'NO',
            'GCC_ENABLE_CPP_RTTI': 'NO',
            'GCC_OPTIMIZATION_LEVEL': '3',
            'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
          },
        }],
      ],
    },
  ],
}
