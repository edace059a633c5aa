import Glibc

func isRoot() -> Bool { getuid() == 0 }

func ownProcess() -> Int32 { getpid() }

func link(to target: String, at path: String) -> Bool { unsafe symlink(target, path) == 0 }
