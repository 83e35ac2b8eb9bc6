package pickle

import "fmt"

// function is an allowed callable: it makes a value of its arguments and does
// nothing else.
type function func(args tuple) (any, error)

// storageType is a class that torch keeps numbers of one type in.
type storageType struct {
	dtype string // safetensors' name
	bytes int    // of a value
}

// names is the whole allow-list.
var names = map[string]any{
	"collections.OrderedDict":         function(orderedDict),
	"torch._utils._rebuild_tensor_v2": function(rebuildTensor),
	"torch._utils._rebuild_parameter": function(rebuildParameter),

	"torch.FloatStorage":    storageType{"F32", 4},
	"torch.HalfStorage":     storageType{"F16", 2},
	"torch.BFloat16Storage": storageType{"BF16", 2},
	"torch.DoubleStorage":   storageType{"F64", 8},
	"torch.LongStorage":     storageType{"I64", 8},
	"torch.IntStorage":      storageType{"I32", 4},
	"torch.ShortStorage":    storageType{"I16", 2},
	"torch.CharStorage":     storageType{"I8", 1},
	"torch.ByteStorage":     storageType{"U8", 1},
	"torch.BoolStorage":     storageType{"BOOL", 1},
}

// orderedDict is called without arguments, or with a list of pairs.
func orderedDict(args tuple) (any, error) {
	d := &dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*list)
	if len(args) != 1 || !ok {
		return nil, fmt.Errorf("OrderedDict of %d arguments", len(args))
	}
	for _, item := range pairs.items {
		var pair []any
		switch item := item.(type) {
		case tuple:
			pair = item
		case *list:
			pair = item.items
		}
		if len(pair) != 2 {
			return nil, fmt.Errorf("OrderedDict of something else than pairs")
		}
		if err := d.set(pair); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// rebuildTensor is called with storage, offset, size, stride, and two things that
// training needs.
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, fmt.Errorf("a tensor of %d arguments", len(args))
	}
	s, okStorage := args[0].(storage)
	offset, okOffset := args[1].(int64)
	size, okSize := integers(args[2])
	stride, okStride := integers(args[3])
	if !okStorage || !okOffset || !okSize || !okStride {
		return nil, fmt.Errorf("a tensor of %T, %T, %T, %T", args[0], args[1], args[2], args[3])
	}
	return newTensor(s, offset, size, stride)
}

// rebuildParameter is called with a tensor and two things that training needs.
func rebuildParameter(args tuple) (any, error) {
	if len(args) > 0 {
		if t, ok := args[0].(tensor); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("a parameter without a tensor")
}

func integers(v any) ([]int64, bool) {
	t, ok := v.(tuple)
	if !ok {
		return nil, false
	}
	list := make([]int64, len(t))
	for i, item := range t {
		if list[i], ok = item.(int64); !ok {
			return nil, false
		}
	}
	return list, true
}
