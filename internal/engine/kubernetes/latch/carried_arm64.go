//go:build shim

package latch

import _ "embed"

//go:embed setops-latch_arm64
var carried []byte
