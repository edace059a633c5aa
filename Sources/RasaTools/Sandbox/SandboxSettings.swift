package import RasaHTTPClient
package import RasaProcess
package import RasaSystem

/// What a launcher has to know about the machine and its user.
package struct SandboxSettings: Sendable {
  package var home: String
  /// Where bubblewrap, Podman and Docker, and the programs themselves are looked for.
  package var path: String
  /// Files and folders that no sandbox may reach.
  package var protected: [ProtectedPath]
  /// Variables that every program gets: language and time zone.
  package var variables: [String: String]
  /// What Docker and Podman need to find their own files and services.
  package var containerVariables: [String: String]
  /// The most that a program can put into its private `/tmp`, in bytes.
  package var temporarySize: UInt64 = 512 << 20
  /// The most processes and threads at once, where the system counts them for each sandbox.
  package var processes = 1024
  /// Where bubblewrap is; nil where it is not installed.
  package var bubblewrap: String?
  /// A `rasa` program, which takes part in a sandbox that reaches hosts by name; nil if there is none.
  package var helper: String?
  /// The addresses of a host that a sandbox may reach by name; may block.
  package var resolve: @Sendable (String) -> [IPAddress] = EgressProxy.systemAddresses

  /// The proxies of the user's own, which hosts by name are reached through.
  package var network: NetworkSettings

  /// - Parameters:
  ///   - helper: another program for that than this process, if it is `rasa`, or the one on the `PATH`.
  ///   - network: what the user's file and the environment say; nil for the environment alone.
  package init(
    _ environment: Environment, folders: RasaFolders, helper: String? = nil,
    network: NetworkSettings? = nil
  ) {
    self.network = network ?? NetworkSettings(environment: environment.variables)
    let home = environment["HOME"] ?? "/"
    self.home = home
    self.helper = helper ?? Self.helper(on: environment["PATH"])
    bubblewrap = ["/usr/bin/bwrap", "/usr/local/bin/bwrap"].first {
      FileSystem.kind(of: $0) == .file
    }
    path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    containerVariables =
      environment.allowing([
        "HOME", "PATH", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DOCKER_HOST",
        "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH",
        "CONTAINER_HOST",
        "CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "DBUS_SESSION_BUS_ADDRESS", "TMPDIR",
      ]).variables
    variables = environment.allowing(["LANG", "LANGUAGE", "LC_*", "TZ"]).variables
    if variables["LANG"] == nil { variables["LANG"] = "C.UTF-8" }
    protected = ProtectedPath.all(environment, home: home, folders: folders)
  }

  private static func helper(on path: String?) -> String? {
    if let own = FileSystem.readLink("/proc/self/exe"), own.hasSuffix("/rasa") { return own }
    return try? ProgramLookup.find("rasa", path: path)
  }
}

/// A path that is refused to every sandbox, with whatever contains it.
package struct ProtectedPath: Sendable, Hashable {
  package var path: String
  /// What is there, for the message.
  package var what: String
  /// Whether it may be read.
  package var isReadable = false
  /// What is below it and may be read all the same.
  package var readable: [String] = []

  static func all(
    _ environment: Environment, home: String, folders: RasaFolders
  ) -> [ProtectedPath] {
    var paths = [
      (folders.configuration, "rasa's configuration"), (folders.data, "rasa's database"),
      (folders.state, "rasa's state"),
    ].map { folder, what in
      ProtectedPath(
        path: folder, what: what,
        readable: ["skills", "tools", "agents", "personas", "operators", "hooks"].map {
          "\(folder)/\($0)"
        })
    }
    paths += secretsInHome.map { ProtectedPath(path: "\(home)/\($0)", what: "keys or passwords") }
    paths += secretsOfSystem.map { ProtectedPath(path: $0, what: "the system's secrets") }
    for variable in [
      "GNUPGHOME", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "KUBECONFIG", "DOCKER_CONFIG",
      "GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "SSH_AUTH_SOCK", "NETRC",
      "PASSWORD_STORE_DIR", "XDG_RUNTIME_DIR",
    ] {
      if let path = environment[variable], path.hasPrefix("/") {
        paths.append(ProtectedPath(path: path, what: "what \(variable) names"))
      }
    }
    paths += kernelFolders.map {
      ProtectedPath(path: $0, what: "the kernel's or running programs'")
    }
    // What others run later with the user's rights.
    paths += startedLater.map {
      ProtectedPath(path: "\(home)/\($0)", what: "started with your rights", isReadable: true)
    }
    paths += systemFolders.map { ProtectedPath(path: $0, what: "the system", isReadable: true) }
    return paths
  }

  private static let secretsInHome = [
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config/gcloud", ".config/gh",
    ".config/hub", ".config/op", ".config/rclone", ".netrc", ".git-credentials",
    ".config/git/credentials", ".npmrc", ".pypirc", ".cargo/credentials", ".cargo/credentials.toml",
    ".m2/settings.xml", ".gradle/gradle.properties", ".pgpass", ".my.cnf", ".password-store",
    ".local/share/keyrings", ".local/share/kwalletd", ".pki", ".mozilla", ".thunderbird",
    ".config/google-chrome", ".config/chromium", ".config/BraveSoftware", ".config/microsoft-edge",
    ".config/Code", ".claude.json", ".claude/.credentials.json", ".codex", ".gemini",
    ".bash_history", ".zsh_history", ".local/share/fish/fish_history", ".python_history",
    ".vault-token",
    ".terraform.d", ".config/containers/auth.json", ".Xauthority",
  ]
  private static let secretsOfSystem = [
    "/etc/shadow", "/etc/gshadow", "/etc/ssh", "/etc/ssl/private", "/etc/sudoers", "/etc/sudoers.d",
    "/etc/krb5.keytab", "/etc/NetworkManager", "/etc/wireguard", "/var/lib/docker",
    "/var/lib/containers", "/var/lib/systemd", "/var/spool/cron",
  ]
  private static let kernelFolders = ["/proc", "/sys", "/dev", "/run", "/var/run", "/boot"]
  private static let startedLater = [
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zshenv",
    ".zprofile", ".zlogin", ".config/fish", ".config/autostart", ".config/systemd",
    ".config/environment.d", ".local/bin", ".local/share/systemd", ".local/share/applications",
    "bin",
    ".gitconfig", ".config/git", ".vimrc", ".vim", ".config/nvim", ".emacs", ".emacs.d",
    ".pam_environment",
    ".xprofile", ".xsessionrc", ".inputrc", ".tmux.conf", ".claude", ".cursor", ".vscode",
  ]
  private static let systemFolders = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt",
    "/root/.local/bin",
    "/var/lib/dpkg", "/var/log",
  ]
}
