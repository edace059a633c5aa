import RasaCore
import RasaSystem
import RasaTestKit
import Testing

/// The packages of `make deb` and `make dist`, as users install them.
@Suite("The packages") struct PackageTests {
  /// The folder in which `make test-external` builds them.
  private static let folder =
    Environment.ofProcess()["RASA_PACKAGES"] ?? Repository.path(".build/packages")
  /// Above the aim of 30 MB (docs/benchmarks.md), which it misses, so that it does not grow unseen.
  private static let largest = 33_000_000

  /// Returns what a script prints in a folder of its own; `$PACKAGES` is the folder of the packages.
  private func shell(_ script: String, in scratch: ScratchDirectory) async throws -> String {
    let run = try await ProgramRun.run(
      "/bin/sh", ["-euc", script],
      environment: [
        "PACKAGES": Self.folder, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": scratch.path,
        "RASA_HOME": scratch.file("home"), "LLM_PROVIDER": "mock", "LC_ALL": "C.UTF-8",
      ], folder: scratch.path)
    try #require(run.exitCode == 0, "`make deb dist` builds the packages: \(run.errorText)")
    return run.text
  }

  /// Checks that the installed program answers, and that its files are complete.
  private func check(_ prefix: String, in scratch: ScratchDirectory) async throws {
    let program = "\(prefix)/bin/rasa"
    let version = try await shell("\(program) version", in: scratch)
    #expect(version.hasPrefix("rasa ") && version.hasSuffix("\n"))
    let answer = try await shell(
      "\(program) run -p strategic_stock_analyst --no-stdin 'Is it a buy?'", in: scratch)
    #expect(!answer.isEmpty)
    let symbols = try await shell(
      "readelf -SW \(program) | grep -c '[.]debug_\\|[.]symtab' || true", in: scratch)
    #expect(symbols == "0\n")
    let size = try await shell("stat -c %s \(program)", in: scratch)
    #expect(Int(size.prefix { $0 != "\n" }).map { $0 <= Self.largest } == true, "\(size)")
    // The formatter reads the manual without a warning, and the manual has every command.
    let manual = try await shell(
      "MANROFFOPT= man --warnings -l \(prefix)/share/man/man1/rasa.1.gz 2>&1", in: scratch)
    #expect(!manual.contains("warning:"), "\(manual.prefix(500))")
    for word in ["RASA(1)", "RASA RUNS", "--persona", "approvals"] {
      #expect(manual.contains(word))
    }
    _ = try await shell(
      """
      bash -n \(prefix)/share/bash-completion/completions/rasa
      find \(prefix)/share -name rasa.fish -exec fish -n {} +
      find \(prefix)/share -name _rasa -exec zsh -n {} +
      test "$(find \(prefix)/share -name rasa.fish -o -name _rasa | wc -l)" = 2
      """, in: scratch)
  }

  private func expectNotices(_ text: String) {
    // Every library that is linked statically, and those that consist of headers only.
    for name in [
      "The Swift runtime", "libyaml-dev", "libstemmer-dev", "libutf8proc-dev", "libsqlite3-dev",
      "zlib1g-dev", "libedit-dev", "libtomlplusplus-dev", "libbsd-dev", "libmd-dev",
    ] {
      #expect(text.contains("\n\(name)"), "no notice of \(name)")
    }
    #expect(text.contains("Runtime Library Exception"))
  }

  @Test("the checksums are those of the files") func checksums() async throws {
    let scratch = ScratchDirectory()
    let checked = try await shell("cd $PACKAGES && sha256sum -c SHA256SUMS", in: scratch)
    for kind in ["_amd64.deb: OK", "-linux-x86_64.tar.gz: OK", "-symbols.tar.gz: OK"] {
      #expect(
        checked.contains(
          kind.replacing("amd64", with: Self.architecture.debian)
            .replacing("x86_64", with: Self.architecture.kernel)), "\(checked)")
    }
  }

  private static var architecture: (debian: String, kernel: String) {
    #if arch(arm64)
      ("arm64", "aarch64")
    #else
      ("amd64", "x86_64")
    #endif
  }

  @Test("the Debian package installs, answers and can be removed") func debian() async throws {
    let scratch = ScratchDirectory()
    _ = try await shell(
      """
      mkdir -p root/var/lib/dpkg/info root/var/lib/dpkg/updates
      touch root/var/lib/dpkg/status root/var/lib/dpkg/available
      dpkg --root=$PWD/root --log=/dev/null --force-not-root --force-depends -i $PACKAGES/rasa_*.deb
      """, in: scratch)
    try await check("root/usr", in: scratch)
    let changed = try await shell("dpkg --root=$PWD/root --verify rasa", in: scratch)
    #expect(changed.isEmpty, "\(changed)")
    expectNotices(try await shell("cat root/usr/share/doc/rasa/copyright", in: scratch))
    // The package depends on every library that the program loads.
    let depends = try await shell("dpkg-deb -f $PACKAGES/rasa_*.deb Depends", in: scratch)
    // libcurl and the C++ library are part of the program where the machine that built it has fitting archives.
    let owners = try await shell(
      """
      for library in $(readelf -d root/usr/bin/rasa | sed -n 's/.*NEEDED.*\\[\\(.*\\)\\]/\\1/p'); do
        dpkg -S "*/$library" | head -n 1 | cut -d: -f1
      done
      """, in: scratch
    ).split(separator: "\n").map(String.init)
    #expect(owners.contains("libc6") && owners.contains("libssl3"), "\(owners)")
    for package in owners { #expect(depends.contains(package), "\(package): \(depends)") }
    let left = try await shell(
      """
      dpkg --root=$PWD/root --log=/dev/null --force-not-root --purge rasa >&2
      find root -name '*rasa*' ! -path 'root/var/*'
      """, in: scratch)
    #expect(left.isEmpty)
  }

  @Test("the tarball is unpacked and answers, and its symbols are the program's")
  func tarball() async throws {
    let scratch = ScratchDirectory()
    _ = try await shell("for file in $PACKAGES/rasa-*.tar.gz; do tar -xzf $file; done", in: scratch)
    let folder = try await shell("ls -d rasa-*-linux-* | grep -v symbols", in: scratch)
    let name = String(folder.prefix { $0 != "\n" })
    try await check(name, in: scratch)
    expectNotices(try await shell("cat \(name)/share/doc/rasa/NOTICES", in: scratch))
    let builds = try await shell(
      """
      for file in \(name)/bin/rasa \(name)-symbols/rasa.debug; do
        readelf -n $file | sed -n 's/.*Build ID: //p'
      done
      """, in: scratch)
    let ids = builds.split(separator: "\n")
    #expect(ids.count == 2 && ids.first == ids.last, "\(builds)")
  }
}
