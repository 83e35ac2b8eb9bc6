package model

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// denseConfig is the Dense module's config.json.
type denseConfig struct {
	In         int    `json:"in_features"`
	Out        int    `json:"out_features"`
	Bias       bool   `json:"bias"`
	Activation string `json:"activation_function"`
	Residual   bool   `json:"use_residual"`
	vectorNames
}

// readAfter reads the modules behind pooling, which gives vectors of that width.
func readAfter(fsys fs.FS, modules Modules, tensors Tensors, width int) ([]Dense, error) {
	var list []Dense
	for _, module := range modules.After {
		read := readDenseModule
		if module.Name == "LayerNorm" {
			read = readNormModule
		}
		d, err := read(fsys, module.Folder, tensors, width)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path.Join(module.Folder, "config.json"), err)
		}
		list = append(list, d)
		if d.Linear.Out > 0 {
			width = d.Linear.Out
		}
	}
	return list, nil
}

// normEps is that of PyTorch's LayerNorm, which the module does not change.
const normEps = 1e-5

// readNormModule reads the LayerNorm module: a norm of the pooled vector.
func readNormModule(fsys fs.FS, folder string, tensors Tensors, width int) (Dense, error) {
	data, err := readConfig(fsys, path.Join(folder, "config.json"))
	if err != nil {
		return Dense{}, err
	}
	var c struct {
		Dimension int `json:"dimension"`
	}
	if err := decodeConfig(data, &c); err != nil {
		return Dense{}, err
	}
	if c.Dimension != width {
		return Dense{}, fmt.Errorf("dimension is %d; the vector before it has %d values", c.Dimension, width)
	}
	t := &checkpoint{tensors: tensors, prefix: folder + "/"}
	return Dense{Activation: Identity, Norm: t.norm("norm", width, normEps, true)}, t.err
}

func readDenseModule(fsys fs.FS, folder string, tensors Tensors, width int) (Dense, error) {
	data, err := readConfig(fsys, path.Join(folder, "config.json"))
	if err != nil {
		return Dense{}, err
	}
	c := denseConfig{Bias: true, Activation: "torch.nn.modules.activation.Tanh", vectorNames: vectorNames{Input: vectorName}}
	if err := decodeConfig(data, &c); err != nil {
		return Dense{}, err
	}
	if err := c.check(); err != nil {
		return Dense{}, err
	}
	if c.Residual {
		return Dense{}, fmt.Errorf("use_residual is %w", ErrUnsupported)
	}
	if c.In != width {
		return Dense{}, fmt.Errorf("in_features is %d; the vector before it has %d values", c.In, width)
	}
	if err := inRange("out_features", c.Out, 1, maxWidth); err != nil {
		return Dense{}, err
	}
	act, err := moduleActivation(c.Activation)
	if err != nil {
		return Dense{}, err
	}
	t := &checkpoint{tensors: tensors, prefix: folder + "/"}
	return Dense{Linear: t.linear("linear", c.Out, c.In, c.Bias), Activation: act}, t.err
}

// moduleActivation maps the class paths of PyTorch's activation modules.
func moduleActivation(class string) (Activation, error) {
	if !strings.HasPrefix(class, "torch.nn.") { // sentence-transformers does not run it
		return "", fmt.Errorf("activation_function %q is code of somebody's own: %w", class, ErrUnsupported)
	}
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "Tanh":
		return Tanh, nil
	case "Identity":
		return Identity, nil
	case "GELU":
		return GELU, nil
	case "ReLU":
		return ReLU, nil
	case "SiLU":
		return SiLU, nil
	case "Sigmoid":
		return Sigmoid, nil
	}
	return "", fmt.Errorf("activation_function %q is not known (known: Tanh, Identity, GELU, ReLU, SiLU, Sigmoid of torch.nn)", class)
}
