//go:build shim

package latch

import _ "embed"

//go:embed setops-latch_amd64
var carried []byte
