/// Everything that the server answers, in the order of `/openapi.json`.
enum Routes {
  static let all: [Route] = Health.routes + MCPDoor.routes
}
