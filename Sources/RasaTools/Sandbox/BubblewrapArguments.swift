import RasaSystem

/// The arguments of bubblewrap for one start. They travel in a file in memory, as variables may be secret and the
/// command line is for everybody to see.
package struct BubblewrapArguments: Sendable {
  package var mounts: [SandboxMount] = []
  package var variables: [String: String] = [:]
  package var folder = "/tmp"
  package var sharesNetwork = false
  /// Whether certificates are needed.
  package var usesNetwork = false
  package var temporarySize: UInt64 = 512 << 20

  package init() {}

  /// Below these, programs and what they load are visible in every sandbox.
  package static let visibleFolders = ["/usr"] + linkedFolders
  private static let linkedFolders = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]

  private static let files = [
    "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ld.so.cache", "/etc/alternatives",
    "/etc/localtime",
  ]
  private static let networkFiles = [
    "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ca-certificates", "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted", "/etc/mime.types", "/etc/protocols", "/etc/services",
  ]
  private static let sharedNetworkFiles = [
    "/etc/hosts", "/etc/host.conf", "/etc/gai.conf",
  ]

  package func list() -> [String] {
    var list = ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts"]
    list += ["--unshare-cgroup-try"]
    if !sharesNetwork { list.append("--unshare-net") }
    // As root, bubblewrap would leave what root may do.
    list += ["--disable-userns", "--cap-drop", "ALL", "--die-with-parent", "--clearenv"]
    for (name, value) in variables.sorted(by: { $0.key < $1.key }) {
      list += ["--setenv", name, value]
    }
    list += ["--ro-bind", "/usr", "/usr"]
    for folder in Self.linkedFolders { list += Self.systemFolder(folder) }
    list += ["--proc", "/proc", "--dev", "/dev"]
    list += ["--size", "\(min(temporarySize, 64 << 20))", "--tmpfs", "/dev/shm"]
    list += ["--size", "\(temporarySize)", "--tmpfs", "/tmp", "--symlink", "../tmp", "/var/tmp"]
    for file in files where FileSystem.exists(file) { list += ["--ro-bind", file, file] }
    if sharesNetwork, let real = FileSystem.realPath("/etc/resolv.conf") {
      list += ["--ro-bind", real, "/etc/resolv.conf"]
    }
    // Outer ones first, so that an inner one counts.
    let sorted = mounts.enumerated().sorted {
      ($0.element.target.utf8.count, $0.offset) < ($1.element.target.utf8.count, $1.offset)
    }
    for (_, mount) in sorted {
      list += [mount.isWritable ? "--bind" : "--ro-bind", mount.source, mount.target]
    }
    // What root owns there is root's to write even without any capability: the kernel's settings are the machine's.
    list += ["--remount-ro", "/proc"]
    // What would be left writable is memory without a limit.
    list += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", folder]
    return list
  }

  private var files: [String] {
    Self.files + (usesNetwork || sharesNetwork ? Self.networkFiles : [])
      + (sharesNetwork ? Self.sharedNetworkFiles : [])
  }

  /// `/lib` is a link to `usr/lib` on most systems, a folder on some.
  private static func systemFolder(_ folder: String) -> [String] {
    if let target = FileSystem.readLink(folder) { return ["--symlink", target, folder] }
    return FileSystem.kind(of: folder) == .folder ? ["--ro-bind", folder, folder] : []
  }

  /// The same, as bubblewrap reads it from a file.
  package func bytes() -> [UInt8] {
    list().flatMap { Array($0.utf8) + [0] }
  }
}
