/// Everything that the server answers, in the order of `/openapi.json`.
enum Routes {
  static let all: [Route] =
    [
      Health.routes, BrowserRoutes.routes, RunRoutes.routes, ApprovalRoutes.routes,
      DefinitionRoutes.routes, MemoryRoutes.routes, LearningRoutes.routes, AliasRoutes.routes,
      DoorRoutes.routes, MCPDoor.routes,
    ].flatMap(\.self)
}
