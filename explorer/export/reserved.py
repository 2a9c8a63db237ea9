"""Names that torch and NNI use on their modules, so that generated attributes do not cover them; a test checks."""

RESERVED = frozenset(
    """
    T_destination add_module add_mutable append apply args as_legacy_dict auto_save_init_arguments bfloat16
    buffers call_super_init candidates check_contains children choice clear compile contains cpu
    create_fixed_module cuda default double dump_patches equals eval extend extra_repr float forward freeze
    frozen_factory get_buffer get_extra_state get_parameter get_submodule grid half insert ipu items key keys
    label leaf_mutables length load_searched_model load_state_dict modules mtia mutable_descendants mutables
    named_buffers named_children named_modules named_mutable_descendants named_parameters names parameters pop
    random reduction register_backward_hook register_buffer register_forward_hook register_forward_pre_hook
    register_full_backward_hook register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter register_state_dict_post_hook
    register_state_dict_pre_hook requires_grad_ return_mask robust_default save_init_arguments set_extra_state
    set_submodule share_memory should_invoke_fixed_module simplify state_dict to to_empty trace_args trace_copy
    trace_kwargs trace_symbol train training type update validate values xpu zero_grad
    """.split()
)
