//go:build shim

package shimbin

import _ "embed"

//go:embed setops-shim_arm64.gz
var carried []byte
