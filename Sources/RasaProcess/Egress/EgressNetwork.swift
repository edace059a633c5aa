package import RasaCore

/// A proxy of the user's own, which a sandbox's connections go through.
package struct UpstreamProxy: Sendable, Hashable {
  package var host: String
  package var port: Int
  /// How messages name it, without its password.
  package var name: String
  /// `user:password` in Base64; nil without them.
  package var credentials: String?

  package init(host: String, port: Int, name: String, credentials: String? = nil) {
    self.host = host
    self.port = port
    self.name = name
    self.credentials = credentials
  }

  /// The field of a request to it, with the end of its line.
  var authorization: String {
    credentials.map { "Proxy-Authorization: Basic \($0)\r\n" } ?? ""
  }
}

/// What a sandbox's proxy knows about the network outside.
package struct EgressNetwork: Sendable {
  /// What makes an address one that strangers must not choose; nil for one of the public internet.
  package var restriction: @Sendable (IPAddress) -> String?
  /// The same for a name that another proxy would resolve.
  package var nameRestriction: @Sendable (String) -> String?
  /// The addresses of a name; may block.
  package var resolve: @Sendable (String) -> [IPAddress]
  /// The user's own proxy for a host; nil where it is reached directly, a failure where there is one that cannot be used.
  package var upstream:
    @Sendable (_ host: String, _ port: Int, _ isTunnel: Bool) -> Result<UpstreamProxy?, Failure>

  package init(
    restriction: @escaping @Sendable (IPAddress) -> String?,
    nameRestriction: @escaping @Sendable (String) -> String? = { _ in nil },
    resolve: @escaping @Sendable (String) -> [IPAddress] = EgressProxy.systemAddresses,
    upstream:
      @escaping @Sendable (_ host: String, _ port: Int, _ isTunnel: Bool) ->
      Result<UpstreamProxy?, Failure> = { _, _, _ in .success(nil) }
  ) {
    self.restriction = restriction
    self.nameRestriction = nameRestriction
    self.resolve = resolve
    self.upstream = upstream
  }
}
