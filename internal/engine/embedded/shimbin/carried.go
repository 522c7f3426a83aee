//go:build shim

package shimbin

import _ "embed"

//go:embed setops-shim.gz
var carried []byte
