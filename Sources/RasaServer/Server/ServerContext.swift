import RasaCore
import RasaKit

/// What all requests share.
struct ServerContext: Sendable {
  let rasa: Rasa
  let settings: ServerSettings
  let access: Access
  let mcp: MCPService
  let mcpSessions = MCPHTTPSessions()
}
