/// A named place where a process may die: just before something is durable, and just after.
///
/// Test builds can be told to die at any of them, which is how it is proven that a run goes on as if
/// nothing had happened. In a release build nothing is left of it, the name included.
#if RASA_FAULTS
  package func faultPoint(_ name: StaticString) {
    FaultPlan.ofProcess?.reach(name.description)
  }
#else
  @inlinable @inline(__always)
  package func faultPoint(_ name: StaticString) {}
#endif
