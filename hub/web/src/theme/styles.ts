// The order matters: Mantine's files sit in a cascade layer below ours.
import './tokens.css'
import '@mantine/core/styles.layer.css'
import 'virtual:theme-variables.css'
import './fonts.css'
import './base.css'
