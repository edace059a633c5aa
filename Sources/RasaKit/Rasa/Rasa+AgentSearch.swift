import RasaAgents
import RasaCore
import RasaPersona

extension Rasa {
  /// Whose form a file has that an agent is read from: rasa's own, or that of another tool.
  public struct AgentFormat: Sendable, Hashable, CustomStringConvertible {
    let own: AgentKind

    init(_ kind: AgentKind) { own = kind }

    /// The format of that id, such as `claude-command`; nil when there is none.
    public init?(id: String) {
      guard let kind = AgentKind(rawValue: id) else { return nil }
      own = kind
    }

    /// Markdown with front matter, or TOML with a prompt.
    public static let rasa = AgentFormat(.rasa)
    /// All that can be read.
    public static var all: [AgentFormat] { AgentKind.allCases.map { AgentFormat($0) } }

    /// Such as `claude-command`.
    public var id: String { own.rawValue }
    /// What one file of the format is called, such as `Claude Code command`.
    public var name: String { own.name }
    /// The same as `name`.
    public var description: String { name }
  }

  /// An agent as lists have it.
  public struct FoundAgent: Sendable, Identifiable {
    /// Why a search found it.
    public struct Match: Sendable, Hashable {
      /// What of it fits: `id`, `name`, `description`, or `capability` for a capability or tag.
      public var field: String
      /// How much of it the text is, from 0 to 1.
      public var closeness: Double
    }

    private let own: RasaPersona.Agent
    private let isSearched: Bool
    /// Why the search found it; nil where nothing was searched for, or another condition let it pass.
    public let match: Match?

    init(_ match: AgentMatch, isSearched: Bool) {
      own = match.agent
      self.isSearched = isSearched
      self.match =
        isSearched && match.closeness > 0
        ? Match(field: match.field.rawValue, closeness: match.closeness) : nil
    }

    /// What it is found by.
    public var id: String { own.id }
    /// What people call it.
    public var name: String { own.name }
    /// What it does and when to use it.
    public var description: String { own.description }
    /// The folder or field of work that it belongs to.
    public var category: String? { own.category }
    /// The provider that it names for itself.
    public var engine: String? { own.engine }
    /// The model that it would ask first, or its provider where it names no model.
    public var firstModel: String? { own.model ?? own.models.primary?.model ?? own.engine }
    /// The colour that lists show it in, as its file says it.
    public var color: String? { own.color }
    /// Whose form its file has.
    public var format: AgentFormat { AgentFormat(own.files.kind) }
    /// `shipped`, `registered`, or the folder that it was found in.
    public var origin: String { own.files.origin }
    /// Everything that its files say, but for the words of its prompt.
    public var agent: Agent { Agent(own) }
    /// The agent as `rasa agents list --json` prints it, after a search as `rasa agents search --json`
    /// does.
    public var json: JSON {
      var object = own.summary
      if isSearched {
        object["match"] =
          match.map {
            ["field": .string($0.field), "closeness": .double($0.closeness)]
          } ?? .null
      }
      return JSON(.object(object))
    }
  }

  /// A field that agents are sorted by, and which way.
  public struct SortOrder: Sendable, Hashable {
    /// What is compared.
    public var field: SortField
    /// Whether the greatest comes first. Agents without the field come last all the same.
    public var isDescending: Bool

    /// An order by a field.
    public init(_ field: SortField, isDescending: Bool = false) {
      self.field = field
      self.isDescending = isDescending
    }

    /// Reads `category,-name`: fields with commas between them, `-` before those that are reversed.
    ///
    /// - Throws: A `RasaError` of code `usage` that names the fields there are.
    public static func parse(_ text: String) throws(RasaError) -> [SortOrder] {
      try convertingErrors { () throws(Failure) in try AgentOrder.parse(text) }.compactMap {
        order in
        SortField(rawValue: order.field.rawValue).map {
          SortOrder($0, isDescending: order.isDescending)
        }
      }
    }

    var own: AgentOrder? {
      AgentOrder.Field(rawValue: field.rawValue).map {
        AgentOrder($0, isDescending: isDescending)
      }
    }
  }

  /// The agents that fit and that the configuration allows, in the given order; without one, those that a
  /// search found best come first, then by id.
  ///
  /// They are those of the last look, or of the first, which this makes when there was none.
  @concurrent
  public func search(
    _ filter: Filter = Filter(), sortedBy orders: [SortOrder] = []
  ) async throws(RasaError) -> [FoundAgent] {
    let registry = try redacted { () throws(Failure) in
      try composition.narrowed(registered.registry, onWarning: warn)
    }
    var matches = registry.matches(filter.own)
    if !orders.isEmpty {
      let sorted = matches.map(\.entry).sorted(by: orders.compactMap(\.own))
      let places = Dictionary(
        uniqueKeysWithValues: sorted.enumerated().map { ($1.agent.id, $0) })
      matches.sort { places[$0.agent.id, default: 0] < places[$1.agent.id, default: 0] }
    }
    return matches.map { FoundAgent($0, isSearched: filter.search != nil) }
  }
}
